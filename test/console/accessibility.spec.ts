import { AxeBuilder } from '@axe-core/playwright';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { cleanUp } from '../support/cleanups.js';
import { askApi, openConsole } from './open-console.js';

const cleanups = cleanUp(afterEach);
const HEIGHT_PX = 800;
/** Both colours and both widths; what an element looks like does not depend on how the two go together. A page is left as it was opened. */
const LOOKS = [
  { colorScheme: 'dark', width: 390 },
  { colorScheme: 'light', width: 1280 },
] as const;

/** Each page in the state in which people use it. Add a page here. */
const PAGES: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  '/': (page) => page.getByRole('table', { name: 'What is new' }).waitFor(),
  '/?at=2d&against=4d': (page) => page.getByRole('table', { name: 'Grown or changed' }).waitFor(),
  '/channels': (page) => page.getByText('No channel').waitFor(),
  '/channels?add=true': (page) => page.getByRole('button', { name: 'Create' }).waitFor(),
  '/explore': (page) => page.getByRole('link', { name: 'Who is refused?' }).waitFor(),
  '/explore?measures=["calls","users"]&by=["client"]': (page) =>
    page.getByRole('img', { name: 'calls, drawn' }).locator('canvas').first().waitFor(),
  '/explore?measures=calls&rows={}': (page) => page.getByRole('table', { name: 'Uses' }).waitFor(),
  '/explore?filter={"user":{"equals":"nobody-at-all"}}': (page) =>
    page.getByText('of this name has been seen').waitFor(),
  '/entries/1': (page) => page.getByRole('region', { name: 'Raw bytes', exact: true }).waitFor(),
  '/views': (page) => page.getByText('No view').waitFor(),
  '/findings': (page) => page.getByRole('table', { name: 'Findings' }).waitFor(),
  '/agents': (page) => page.getByRole('table', { name: 'Agents' }).waitFor(),
  '/map': (page) => page.getByRole('grid', { name: 'Clients and resources' }).waitFor(),
  '/map?show=table': (page) => page.getByRole('table', { name: 'Connections' }).waitFor(),
  '/map?show=graph': (page) => page.locator('.react-flow__node').first().waitFor(),
  '/nowhere': (page) => page.getByText('There is no such page').waitFor(),
  '/sources': (page) => page.getByRole('table', { name: 'Sources' }).waitFor(),
  '/rules': (page) => page.getByRole('table', { name: 'Rules' }).waitFor(),
  '/stop': (page) => page.getByRole('form', { name: 'Exact names' }).waitFor(),
  '/stop?issuer=https://idp.corp.example': (page) => page.getByLabel('The number').waitFor(),
  '/tokens/unknown': (page) => page.getByRole('alert').waitFor(),
  '/welcome': (page) => page.getByRole('link', { name: 'Sign in' }).waitFor(),
};

async function violations(page: Page): Promise<string[]> {
  const all: string[] = [];
  for (const { colorScheme, width } of LOOKS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: HEIGHT_PX });
    await page.locator(`[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
    // Legacy: without a second page for what is found in frames, of which there are none.
    const { violations: found } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
    all.push(
      ...found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${colorScheme}: ${id}: ${html.slice(0, 200)}`)),
    );
  }
  return all;
}

describe('in light and dark colours, wide and narrow', () => {
  it.each(Object.entries(PAGES))('%s can be used by everybody', async (path, shown) => {
    const { page } = await openConsole(cleanups, { path, bypassCSP: true });
    await shown(page);
    expect(await violations(page)).toEqual([]);
  });

  it('the choice of a moment can be used by everybody', async () => {
    const { page } = await openConsole(cleanups, { path: '/stop?at=1d', bypassCSP: true });
    await page.getByRole('button', { name: /^Time: / }).click();
    await page.getByRole('form', { name: 'A moment' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByText('Compare', { exact: true }).click();
    await page.getByRole('form', { name: 'Two moments' }).waitFor();
    expect(await violations(page)).toEqual([]);
  });

  it('an account of a rule can be used by everybody', async () => {
    const { page } = await openConsole(cleanups, { path: '/rules?effect=block&state=live', bypassCSP: true });
    await page.getByRole('table', { name: 'Rules' }).getByRole('link').first().click();
    await page.getByText('refused, as resources reported').waitFor();
    await page.getByRole('button', { name: 'Lift…' }).click();
    expect(await violations(page)).toEqual([]);
  });

  it('the page of an agent can be used by everybody', async () => {
    const { page } = await openConsole(cleanups, { path: '/agents', bypassCSP: true });
    await page.getByRole('table', { name: 'Agents' }).getByRole('link').first().click();
    await page.getByRole('table', { name: 'Timeline' }).waitFor();
    await page.getByRole('img', { name: /Uses by the/ }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('tab', { name: 'Blast radius' }).click();
    await page.getByRole('heading', { name: 'Live tokens' }).waitFor();
    expect(await violations(page)).toEqual([]);
  });

  it('the forms of Explore and of a view can be used by everybody', async () => {
    const { page } = await openConsole(cleanups, { path: '/explore?measures=calls&by=user', bypassCSP: true });
    await page.getByRole('table', { name: 'Groups' }).waitFor();
    await page.getByRole('button', { name: '+ Filter' }).click();
    await page.getByRole('form', { name: 'A condition' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Saved views' }).click();
    await page.getByRole('menuitem', { name: 'Save this view' }).click();
    await page.getByRole('textbox', { name: 'Name' }).waitFor();
    expect(await violations(page)).toEqual([]);
  });

  it('an open finding can be used by everybody', async () => {
    const { page } = await openConsole(cleanups, { path: '/findings?severity=high', bypassCSP: true });
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
    const { page } = await openConsole(cleanups, { path: '/channels?channel=seen', bypassCSP: true });
    await page.getByRole('button', { name: 'Try it' }).click();
    await page.getByText('The receiver did not take it').waitFor();
    await page.getByRole('tab', { name: 'Setting' }).click();
    await page.getByRole('button', { name: 'Rotate the secret' }).click();
    await page.getByText(/^whsec_/).waitFor();
    expect(await violations(page)).toEqual([]);
  });
});
