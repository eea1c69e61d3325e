import { afterEach, describe, expect, it } from '@jest/globals';
import { cleanUp } from '../support/cleanups.js';
import { askApi, openConsole } from './open-console.js';
import { untilHolds } from './routes.js';

const cleanups = cleanUp(afterEach);

interface Finding {
  readonly id: string;
  readonly kind: string;
  readonly severity: string;
  readonly says: string;
  readonly next: string;
  readonly stop: object | null;
}
const ask = async (query: string): Promise<readonly Finding[]> => (await askApi('GET', `/v1/findings?${query}`)).items;

describe('the page of findings', () => {
  it('lists what the API found, the newest first', async () => {
    const { page } = await openConsole(cleanups, { path: '/findings' });
    const rows = page.getByRole('table', { name: 'Findings' }).locator('tr[data-index]');
    await rows.first().waitFor();
    await untilHolds(async () => {
      const expected = await ask('limit=3');
      for (const [at, { kind }] of expected.entries())
        expect(await rows.nth(at).innerText()).toMatch(new RegExp(`${kind}\\s`));
      expect(await rows.first().innerText()).toContain(expected[0]!.says);
    });
  });

  it('keeps its filters in the URL, and reads them from there', async () => {
    const { page, search } = await openConsole(cleanups, { path: '/findings' });
    const table = page.getByRole('table', { name: 'Findings' });
    await table.waitFor();
    await page.getByRole('combobox', { name: 'Severity' }).or(page.getByLabel('Severity')).first().click();
    await page.getByRole('option', { name: 'high or higher' }).click();
    await page.waitForURL(/severity=high/);
    expect(search().get('severity')).toBe('high');
    const count = String((await ask('severity=high&limit=50')).length);
    await page.locator(`table[aria-rowcount="${count}"]`).waitFor();
    await page.reload();
    await page.locator(`table[aria-rowcount="${count}"]`).waitFor();
  });

  it('opens a finding, which the URL names: what it says, the rule that would stop it, and the next step', async () => {
    const high = await ask('severity=high&limit=50');
    // The first of its kind, and one that a rule stops.
    const finding = high.find(
      ({ stop, kind }, at) => stop !== null && high.findIndex((one) => one.kind === kind) === at,
    );
    const { page, search } = await openConsole(cleanups, { path: '/findings?severity=high' });
    await page.getByRole('table', { name: 'Findings' }).getByRole('link', { name: finding!.kind }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(finding!.next).waitFor();
    expect(search().get('finding')).toBe(finding!.id);
    expect(await dialog.innerText()).toContain(finding!.says);
    await dialog.getByRole('button', { name: 'Copy the command that orders it' }).waitFor();
    await page.keyboard.press('Escape');
    await page.waitForURL((url) => !url.searchParams.has('finding'));
  });

  it('says so where nothing is found, and leaves out what no filter is', async () => {
    const { page, faults } = await openConsole(cleanups, {
      path: '/findings?severity=worst&state=%5B%22false-alarm%22%5D',
    });
    await page.getByText('No finding').waitFor();
    expect(faults).toEqual([]);
  });

  it('shows a refusal with its code', async () => {
    const { secret } = await askApi('POST', '/v1/callers', { id: 'administers-alone', roles: { admin: {} } });
    const { page } = await openConsole(cleanups, { path: '/findings', key: secret });
    await page.getByRole('alert').getByText('forbidden', { exact: true }).waitFor();
  });
});
