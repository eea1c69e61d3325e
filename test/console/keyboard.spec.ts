import { afterEach, describe, expect, it } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { cleanUp } from '../support/cleanups.js';
import { askApi, openConsole } from './open-console.js';
import { goTo, placesOf, routesOf, settled, type Get } from './routes.js';

const cleanups = cleanUp(afterEach);
const MOST_PRESSES = 120;
/** Presses in which a trap shows itself: past the places of the frame, and well into the page. */
const PRESSES_A_PAGE = 30;
const EVERY_PAGE_MS = 120_000;
const get: Get = (path) => askApi('GET', path);

const isFocused = (wanted: Locator): Promise<boolean> =>
  wanted.evaluate((element) => element === element.ownerDocument.activeElement);

/** Presses Tab until what is wanted has the focus. */
async function reach(page: Page, wanted: Locator): Promise<void> {
  await wanted.waitFor();
  for (let presses = 0; presses < MOST_PRESSES; presses++) {
    if (await isFocused(wanted)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the keyboard does not reach ${String(wanted)}`);
}

async function press(page: Page, wanted: Locator, key = 'Enter'): Promise<void> {
  await reach(page, wanted);
  await page.keyboard.press(key);
}

const untilFocused = (wanted: Locator): Promise<unknown> =>
  wanted.evaluate(
    (element) =>
      new Promise<void>((resolve) => {
        const look = (): void =>
          element === element.ownerDocument.activeElement ? resolve() : void setTimeout(look, 20);
        look();
      }),
  );

/** Names the element that has the focus and says whether that can be seen; null at the end of the page. Runs in the page. */
const FOCUSED = `(() => {
  const one = document.activeElement;
  if (one === null || one === document.body) return null;
  window.focused ??= new Map();
  if (!window.focused.has(one)) window.focused.set(one, window.focused.size);
  const shows = (element) => {
    const { outlineStyle, boxShadow } = getComputedStyle(element);
    return outlineStyle !== 'none' || boxShadow !== 'none';
  };
  const isInput = /^(INPUT|TEXTAREA|SELECT)$/.test(one.tagName) || one.getAttribute('role') === 'combobox';
  return { id: window.focused.get(one), isSeen: isInput || shows(one), what: one.outerHTML.slice(0, 160) };
})()`;

describe('with the keyboard alone', () => {
  it(
    'every page can be gone through: the focus moves with each press, is seen, and is caught nowhere',
    async () => {
      const { page, faults } = await openConsole(cleanups);
      const wrong: string[] = [];
      for (const route of await routesOf(page)) {
        const [path] = await placesOf(route, get);
        await goTo(page, path!);
        await page.evaluate('window.focused = undefined; document.activeElement.blur()');
        const seen = new Set<number>();
        for (let presses = 0; presses < PRESSES_A_PAGE; presses++) {
          await page.keyboard.press('Tab');
          const focused = await page.evaluate<{ id: number; isSeen: boolean; what: string } | null>(FOCUSED);
          if (focused === null) break;
          if (seen.has(focused.id)) {
            // A short page is gone through in a circle. What comes before its first element again is a trap.
            if (focused.id !== 0) wrong.push(`${path!}: caught at ${focused.what}`);
            break;
          }
          seen.add(focused.id);
          if (!focused.isSeen) wrong.push(`${path!}: the focus is not seen at ${focused.what}`);
        }
        if (seen.size === 0) wrong.push(`${path!}: nothing takes the focus`);
      }
      expect(wrong).toEqual([]);
      expect(faults).toEqual([]);
    },
    EVERY_PAGE_MS,
  );

  it('the places of the frame are skipped, and another page begins at its beginning', async () => {
    const { page } = await openConsole(cleanups, { path: '/findings?kind=bulk-export', fresh: true });
    await settled(page);
    await page.keyboard.press('Tab');
    expect(await isFocused(page.getByRole('link', { name: 'Skip to the page' }))).toBe(true);
    await page.keyboard.press('Enter');
    await untilFocused(page.getByRole('main'));
    await press(page, page.getByRole('navigation').getByRole('link', { name: 'Rules' }));
    await page.waitForURL(/\/rules$/);
    await untilFocused(page.getByRole('main'));
    await press(page, page.getByRole('main').getByRole('link', { name: 'Stop…' }));
    await page.waitForURL(/\/stop$/);
  });

  it('a finding is opened, changed, muted or not, closed, and stopped', async () => {
    const { items } = await askApi('GET', '/v1/findings?kind=bulk-export');
    cleanups.push(() => askApi('POST', `/v1/findings/${items[0].id}`, { state: 'open' }));
    const { page } = await openConsole(cleanups, { path: '/findings?kind=bulk-export' });
    const row = page.getByRole('row').filter({ hasText: items[0].says });
    const link = row.getByRole('link', { name: 'bulk-export' });
    await press(page, link);
    const drawer = page.getByRole('dialog', { name: 'Finding' });
    await press(page, drawer.getByRole('button', { name: 'Acknowledge' }));
    await drawer.getByText('acknowledged', { exact: true }).first().waitFor();

    const mute = drawer.getByRole('button', { name: 'Mute…' });
    await press(page, mute);
    const reason = page.getByRole('dialog', { name: 'Mute' }).getByLabel('Reason');
    await untilFocused(reason);
    await page.keyboard.press('Escape');
    await reason.waitFor({ state: 'detached' });
    await untilFocused(mute);
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
    await untilFocused(link);

    await page.keyboard.press('Enter');
    await press(page, drawer.getByRole('link', { name: 'Stop this…' }));
    await page.waitForURL(/\/stop\?/);
    await reach(page, page.getByLabel('Reason'));
  });

  it('the search opens, leads to an entity, and gives the focus back', async () => {
    const { page } = await openConsole(cleanups, { path: '/rules' });
    await settled(page);
    const stop = page.getByRole('main').getByRole('link', { name: 'Stop…' });
    await reach(page, stop);
    await page.keyboard.press('Control+k');
    const box = page.getByRole('dialog').getByLabel('Search');
    await untilFocused(box);
    await page.keyboard.press('Escape');
    await untilFocused(stop);
    await page.keyboard.press('Control+k');
    await untilFocused(box);
    await page.keyboard.type('nadia.rossi');
    await page.getByRole('dialog').getByText('nadia.rossi').first().waitFor();
    const chosen = page.getByRole('dialog').locator('[data-selected]');
    for (let found = ''; !/^user\b/.test(found); found = await chosen.innerText())
      await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/users\/\d+/);
  });

  it('a list is filtered, and the tabs of an entity are chosen', async () => {
    const { page, search } = await openConsole(cleanups, { path: '/agents' });
    await page.getByRole('table', { name: 'Agents' }).waitFor();
    await press(page, page.getByRole('combobox', { name: 'Owner' }).or(page.getByRole('textbox', { name: 'Owner' })));
    await page.getByRole('option', { name: 'Without an owner' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL(/owner=/);
    const [path] = await placesOf('/agents/$entity', get);
    await goTo(page, path!.split('?')[0]!);
    const timeline = page.getByRole('tab', { name: 'Timeline' });
    await press(page, timeline, 'ArrowRight');
    await page.waitForURL(/show=(?:connections|grants)/);
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(/show=reach/);
    expect(search().get('show')).toBe('reach');
    await page.getByRole('heading', { name: 'Live tokens' }).waitFor();
  });
});
