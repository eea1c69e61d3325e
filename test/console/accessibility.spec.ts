import { AxeBuilder } from '@axe-core/playwright';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { cleanUp } from '../support/cleanups.js';
import { openConsole } from './open-console.js';

const cleanups = cleanUp(afterEach);
/** Both colours and both widths; what an element looks like does not depend on how the two go together. */
const LOOKS = [
  { colours: 'light', width: 1280 },
  { colours: 'dark', width: 390 },
] as const;

/** Each page in the state in which people use it. Add a page here. */
const PAGES: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  '/findings': (page) => page.getByRole('table', { name: 'Findings' }).waitFor(),
  '/agents': (page) => page.getByRole('table', { name: 'Agents' }).waitFor(),
  '/nowhere': (page) => page.getByText('There is no such page').waitFor(),
  '/sources': (page) => page.getByRole('table', { name: 'Sources' }).waitFor(),
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
    expect(await violations(page)).toEqual([]);
  });
});
