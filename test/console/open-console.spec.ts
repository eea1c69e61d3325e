import { afterEach, describe, expect, it } from '@jest/globals';
import { cleanUp, createCleanups } from '../support/cleanups.js';
import { openConsole } from './open-console.js';

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

  it('is taken by one at a time', async () => {
    const { page } = await openConsole(cleanups);
    const { page: other } = await openConsole(cleanups);
    expect(other).not.toBe(page);
  });
});
