import { AxeBuilder } from '@axe-core/playwright';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { cleanUp } from '../support/cleanups.js';
import { askApi, openConsole } from './open-console.js';

const cleanups = cleanUp(afterEach);
/** Both colours and both widths; what an element looks like does not depend on how the two go together. */
const LOOKS = [
  { colours: 'light', width: 1280 },
  { colours: 'dark', width: 390 },
] as const;

/** Each page in the state in which people use it. Add a page here. */
const PAGES: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  '/': (page) => page.getByRole('table', { name: 'What is new' }).waitFor(),
  '/?at=2d&against=4d': (page) => page.getByRole('table', { name: 'Grown or changed' }).waitFor(),
  '/channels': (page) => page.getByText('No channel').waitFor(),
  '/channels?add=true': (page) => page.getByRole('button', { name: 'Create' }).waitFor(),
  '/findings': (page) => page.getByRole('table', { name: 'Findings' }).waitFor(),
  '/agents': (page) => page.getByRole('table', { name: 'Agents' }).waitFor(),
  '/nowhere': (page) => page.getByText('There is no such page').waitFor(),
  '/sources': (page) => page.getByRole('table', { name: 'Sources' }).waitFor(),
  '/rules': (page) => page.getByRole('table', { name: 'Rules' }).waitFor(),
  '/stop': (page) => page.getByRole('form', { name: 'Exact names' }).waitFor(),
  '/stop?issuer=https://idp.corp.example': (page) => page.getByLabel('The number').waitFor(),
  '/tokens/unknown': (page) => page.getByRole('alert').waitFor(),
  '/welcome': (page) => page.getByRole('link', { name: 'Sign in' }).waitFor(),
};

async function violations(page: Page): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page }).analyze();
  return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}

describe.each(LOOKS)('in $colours colours at $width pixels', (look) => {
  it.each(Object.entries(PAGES))('%s can be used by everybody', async (path, shown) => {
    const { page } = await openConsole(cleanups, { path, ...look, bypassCSP: true });
    await shown(page);
    expect(await violations(page)).toEqual([]);
  });

  it('the choice of a moment can be used by everybody', async () => {
    const { page } = await openConsole(cleanups, { path: '/stop?at=1d', ...look, bypassCSP: true });
    await page.getByRole('button', { name: /^Time: / }).click();
    await page.getByRole('form', { name: 'A moment' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByText('Compare', { exact: true }).click();
    await page.getByRole('form', { name: 'Two moments' }).waitFor();
    expect(await violations(page)).toEqual([]);
  });

  it('an account of a rule can be used by everybody', async () => {
    const { page } = await openConsole(cleanups, { path: '/rules?effect=block&state=live', ...look, bypassCSP: true });
    await page.getByRole('table', { name: 'Rules' }).getByRole('link').first().click();
    await page.getByText('refused, as resources reported').waitFor();
    await page.getByRole('button', { name: 'Lift…' }).click();
    expect(await violations(page)).toEqual([]);
  });

  it('the page of an agent can be used by everybody', async () => {
    const { page } = await openConsole(cleanups, { path: '/agents', ...look, bypassCSP: true });
    await page.getByRole('table', { name: 'Agents' }).getByRole('link').first().click();
    await page.getByRole('table', { name: 'Timeline' }).waitFor();
    await page.getByRole('img', { name: /Uses by the/ }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('tab', { name: 'Blast radius' }).click();
    await page.getByRole('heading', { name: 'Live tokens' }).waitFor();
    expect(await violations(page)).toEqual([]);
  });

  it('an open finding can be used by everybody', async () => {
    const { page } = await openConsole(cleanups, { path: '/findings?severity=high', ...look, bypassCSP: true });
    await page.getByRole('table', { name: 'Findings' }).getByRole('link').first().click();
    await page.getByRole('dialog').getByText('Next step').waitFor();
    await page
      .getByRole('button', { name: /^Entry/ })
      .first()
      .click();
    await page.getByRole('button', { name: 'The whole event' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Mute…' }).click();
    await page.getByLabel('Reason').waitFor();
    expect(await violations(page)).toEqual([]);
  });

  it('a channel and its secret can be used by everybody', async () => {
    const setting = { kind: 'webhook', address: 'http://127.0.0.1:9/' };
    await askApi('PUT', '/v1/channels/seen', setting);
    cleanups.push(() => askApi('DELETE', '/v1/channels/seen'));
    const { page } = await openConsole(cleanups, { path: '/channels?channel=seen', ...look, bypassCSP: true });
    await page.getByRole('button', { name: 'Try it' }).click();
    await page.getByText('The receiver did not take it').waitFor();
    await page.getByRole('tab', { name: 'Setting' }).click();
    await page.getByRole('button', { name: 'Rotate the secret' }).click();
    await page.getByText(/^whsec_/).waitFor();
    expect(await violations(page)).toEqual([]);
  });
});
