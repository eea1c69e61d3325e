import { afterEach, describe, expect, it } from '@jest/globals';
import { cleanUp, createCleanups } from '../support/cleanups.js';
import { askApi, openConsole } from './open-console.js';

const cleanups = cleanUp(afterEach);

describe('the page that tests take in turn', () => {
  it('keeps nothing of the test before', async () => {
    const former = createCleanups();
    const { page, faults } = await openConsole(former, { path: '/nowhere', width: 390, colours: 'dark' });
    let asked = 0;
    await page.route('**/v1/agents?*', async (route) => {
      asked++;
      const answer = await route.fetch();
      await route.fulfill({ json: { ...(await answer.json()), items: [], next: null } });
    });
    let heard = 0;
    page.on('request', () => heard++);
    await page.evaluate(`localStorage.setItem('left', 'behind')`);
    await page.evaluate(`sessionStorage.setItem('left', 'behind')`);
    await page.evaluate(`__TSR_ROUTER__.history.push('/console/agents')`);
    await page.getByText('Nobody is found').waitFor();
    await page.evaluate(`console.error('a fault')`);
    expect([asked, heard > 0, faults]).toEqual([1, true, ['a fault']]);
    await former.run();
    const heardBefore = heard;

    const next = await openConsole(cleanups, { path: '/agents' });
    expect(next.page).toBe(page);
    await page.getByRole('table', { name: 'Agents' }).waitFor({ timeout: 10_000 });
    expect([asked, heard, next.faults]).toEqual([1, heardBefore, []]);
    const left = `[localStorage.getItem('left'), sessionStorage.getItem('left'), innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]`;
    expect(await page.evaluate(left)).toEqual([null, null, 1280, false]);
  });

  it('is another one after a test that left something open above it', async () => {
    const former = createCleanups();
    const { page } = await openConsole(former, { path: '/findings' });
    await page.getByRole('table', { name: 'Findings' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('textbox', { name: 'Search' }).waitFor();
    await former.run();
    const next = await openConsole(cleanups, { path: '/agents' });
    await next.page.getByRole('table', { name: 'Agents' }).getByRole('link').first().click({ timeout: 10_000 });
    expect(page.isClosed()).toBe(true);
  });

  it('is of the caller that the test names', async () => {
    const { secret } = await askApi('POST', '/v1/callers', { id: 'looks-in-turn', roles: { audit: {} } });
    const former = createCleanups();
    const { page } = await openConsole(former, { path: '/findings' });
    await page.getByRole('checkbox').first().waitFor();
    await former.run();
    const next = createCleanups();
    const looker = await openConsole(next, { path: '/findings', key: secret });
    expect(looker.page).toBe(page);
    await page.getByRole('table', { name: 'Findings' }).waitFor();
    expect(await page.getByRole('checkbox').count()).toBe(0);
    await next.run();
    await openConsole(cleanups, { path: '/findings' });
    await page.getByRole('checkbox').first().waitFor({ timeout: 10_000 });
  });

  it('is taken by one at a time', async () => {
    const { page } = await openConsole(cleanups);
    const { page: other } = await openConsole(cleanups);
    expect(other).not.toBe(page);
  });
});
