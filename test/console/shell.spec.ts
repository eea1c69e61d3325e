import { afterEach, describe, expect, it } from '@jest/globals';
import type { Page, Route } from 'playwright-core';
import { cleanUp } from '../support/cleanups.js';
import { openConsole } from './open-console.js';

const cleanups = cleanUp(afterEach);
const colours = 'document.documentElement.dataset.mantineColorScheme';

/** Answers questions about findings like this until `tryAgain`. The page asks by itself too: every ten seconds, and when a finding changes. */
const failFindings = (page: Page, answer: Parameters<Route['fulfill']>[0]): Promise<unknown> =>
  page.route('**/v1/findings?*', async (route) =>
    (await page.evaluate<boolean>('window.isTriedAgain === true')) ? route.fallback() : route.fulfill(answer),
  );

/** Runs in the page, which counts as hidden from the press on, and so asks nothing after a time: what comes, comes from the button. */
const PRESSED = `addEventListener('click', () => {
  Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
  window.isTriedAgain = true;
}, { capture: true, once: true })`;

async function tryAgain(page: Page): Promise<void> {
  await page.evaluate(PRESSED);
  cleanups.push(() => page.evaluate('delete document.visibilityState; delete window.isTriedAgain'));
  await page.getByRole('button', { name: 'Try again' }).click();
}

describe('the frame of every page', () => {
  it.each([390, 768, 1280])('fits %d pixels', async (width) => {
    const { page } = await openConsole(cleanups, { path: '/findings', width });
    await page.getByRole('table').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
  });

  it.each([
    ['reduce', '0s'],
    ['no-preference', '0.2s'],
  ] as const)('moves by the wish of the system: %s', async (motion, duration) => {
    const { page } = await openConsole(cleanups, { path: '/findings', motion });
    const main = page.getByRole('main');
    await main.waitFor();
    expect(await main.evaluate('getComputedStyle(document.getElementById("main")).transitionDuration')).toBe(duration);
  });

  it('has its places behind a button on a phone', async () => {
    const { page } = await openConsole(cleanups, { path: '/findings', width: 390 });
    const places = page.getByRole('navigation', { name: 'Places' });
    await page.getByRole('table').waitFor();
    const box = await places.boundingBox();
    expect(box!.x + box!.width).toBeLessThanOrEqual(0);
    await page.getByRole('button', { name: 'Places' }).click();
    await places.getByText('Findings').click();
  });

  it('remembers the colours that somebody chose', async () => {
    const { page } = await openConsole(cleanups, { path: '/findings', colours: 'dark' });
    await page.getByRole('table').waitFor();
    expect(await page.evaluate(colours)).toBe('dark');
    await page.getByRole('button', { name: 'Colours: as the system' }).click();
    await page.getByRole('menuitem', { name: 'Light' }).click();
    await page.reload();
    await page.getByRole('button', { name: 'Colours: light' }).waitFor();
    expect(await page.evaluate(colours)).toBe('light');
  });

  it('says that the service is degraded while it answers 503, and no longer', async () => {
    const body = JSON.stringify({
      status: 503,
      code: 'database-unavailable',
      title: 'No database',
      detail: 'The database is away.',
    });
    const { page } = await openConsole(cleanups, {
      path: '/findings',
      before: (opened) => failFindings(opened, { status: 503, contentType: 'application/problem+json', body }),
    });
    const banner = page.getByText('The service is degraded');
    await banner.waitFor();
    await page.getByText('database-unavailable').waitFor();
    await tryAgain(page);
    await banner.waitFor({ state: 'detached' });
  });

  it('shows an answer 502 as a failure, with words of a proxy or with none, and asks again', async () => {
    const showsFailure = async (body: string): Promise<void> => {
      const { page, faults } = await openConsole(cleanups, {
        path: '/findings',
        before: (opened) => failFindings(opened, { status: 502, body }),
      });
      await page.getByText('Something before the service answered with status 502.').waitFor();
      await tryAgain(page);
      await page.getByRole('table', { name: 'Findings' }).waitFor();
      expect(faults).toEqual([]);
    };
    await Promise.all(['', '<html><body>Bad Gateway</body></html>'].map(showsFailure));
  });

  it('draws a list of choices only once it is opened', async () => {
    const { page } = await openConsole(cleanups, { path: '/findings' });
    await page.getByRole('table', { name: 'Findings' }).waitFor();
    const severity = page.getByRole('combobox', { name: 'Severity' });
    await severity.waitFor();
    expect(await page.locator('[role="listbox"]').count()).toBe(0);
    await severity.click();
    await page.getByRole('option', { name: 'critical' }).waitFor();
  });

  it('says that a page is not there', async () => {
    const { page } = await openConsole(cleanups, { path: '/nowhere' });
    await page.getByText('There is no such page').waitFor();
  });
});
