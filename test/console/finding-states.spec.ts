import { afterEach, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { cleanUp } from '../support/cleanups.js';
import { askApi, openConsole } from './open-console.js';

const cleanups = cleanUp(afterEach);

interface Finding {
  readonly id: string;
  readonly kind: string;
  readonly says: string;
  readonly state: string;
  readonly reason: string | null;
  readonly muted_until: string | null;
  readonly entries: readonly string[];
}

/** Open findings, each open again after the test. No other spec may change findings of the kind: it would do so meanwhile. */
async function openOnes(limit: number, kind: string): Promise<readonly Finding[]> {
  const { items } = await askApi('GET', `/v1/findings?state=open&kind=${kind}&limit=${limit}`);
  for (const { id } of items) cleanups.push(() => askApi('POST', `/v1/findings/${id}`, { state: 'open' }));
  return items;
}
const current = (id: string): Promise<Finding> => askApi('GET', `/v1/findings/${id}`);
const act = (page: Page, name: string) => page.getByRole('dialog').getByRole('button', { name, exact: true });

describe('somebody who may stop', () => {
  it('acknowledges a finding and reopens it, and its history tells so', async () => {
    const [finding] = await openOnes(1, 'scopes-grew');
    const { page, faults } = await openConsole(cleanups, { path: `/findings?finding=${finding!.id}` });
    await act(page, 'Acknowledge').click();
    await page.getByRole('dialog').getByRole('listitem').getByText('acknowledged by admin').waitFor();
    expect((await current(finding!.id)).state).toBe('acknowledged');
    expect(await act(page, 'Acknowledge').isDisabled()).toBe(true);
    await act(page, 'Reopen').click();
    await page.getByRole('dialog').getByRole('listitem').getByText('open by admin').first().waitFor();
    expect((await current(finding!.id)).state).toBe('open');
    expect(faults).toEqual([]);
  });

  it('mutes one with a reason and an end', async () => {
    const [finding] = await openOnes(1, 'use-after-silence');
    const { page } = await openConsole(cleanups, { path: `/findings?finding=${finding!.id}` });
    await act(page, 'Mute…').click();
    const form = page.getByRole('dialog', { name: 'Mute' });
    expect(await form.getByRole('button', { name: 'Mute', exact: true }).isDisabled()).toBe(true);
    await form.getByLabel('Reason').fill('A yearly report');
    await form.getByRole('button', { name: 'Mute', exact: true }).click();
    await page.getByRole('listitem').getByText('muted by admin').waitFor();
    await page.getByRole('listitem').getByText('A yearly report').waitFor();
    const { state, muted_until } = await current(finding!.id);
    const days = (Date.parse(muted_until!) - Date.now()) / 86_400_000;
    expect([state, Math.round(days)]).toEqual(['muted', 7]);
  });

  it('marks several as false alarms at once', async () => {
    const [one, other, left] = await openOnes(3, 'use-after-silence');
    const { page } = await openConsole(cleanups, { path: '/findings?kind=use-after-silence&state=%5B%22open%22%5D' });
    for (const { says } of [one!, other!]) await page.getByRole('checkbox', { name: `Choose ${says}` }).click();
    const chosen = page.getByRole('region', { name: 'Chosen findings' });
    await chosen.getByText('2 chosen').waitFor();
    await chosen.getByRole('button', { name: 'False alarm…' }).click();
    await page.getByRole('dialog').getByLabel('Reason').fill('Known to the team');
    await page.getByRole('button', { name: 'Mark as false alarm' }).click();
    await chosen.waitFor({ state: 'detached' });
    await page.getByText(one!.says).waitFor({ state: 'detached' });
    expect([await current(one!.id), await current(other!.id), await current(left!.id)]).toEqual([
      expect.objectContaining({ state: 'false-alarm', reason: 'Known to the team' }),
      expect.objectContaining({ state: 'false-alarm', reason: 'Known to the team' }),
      expect.objectContaining({ state: 'open' }),
    ]);
  });

  it('is told which were refused, and why', async () => {
    const [finding] = await openOnes(1, 'refusals');
    const { page } = await openConsole(cleanups, { path: `/findings?finding=${finding!.id}` });
    await act(page, 'False alarm…').click();
    await page.getByLabel('Reason').fill(`Seen with Bearer eyJhbGciOiJFUzI1NiJ9.${'a'.repeat(40)}.${'b'.repeat(40)}`);
    await page.getByRole('button', { name: 'Mark as false alarm' }).click();
    await page.getByRole('alert').getByText('token-in-request').waitFor();
    expect((await current(finding!.id)).state).toBe('open');
  });
});

it('somebody who may look alone reads why there is nothing to press', async () => {
  const { secret } = await askApi('POST', '/v1/callers', { id: 'looks-at-findings', roles: { audit: {} } });
  const [finding] = (await askApi('GET', '/v1/findings?limit=1')).items as Finding[];
  const { page } = await openConsole(cleanups, { path: `/findings?finding=${finding!.id}`, key: secret });
  await page.getByText('You may look at findings. Responders and administrators change them.').waitFor();
  for (const name of ['Acknowledge', 'Resolve', 'False alarm…', 'Mute…', 'Reopen'])
    expect(await act(page, name).isDisabled()).toBe(true);
  await page.keyboard.press('Escape');
  await page.getByRole('table', { name: 'Findings' }).waitFor();
  expect(await page.getByRole('checkbox').count()).toBe(0);
});

it('an entry of the evidence says its type, its time, and who', async () => {
  const { items } = await askApi('GET', '/v1/findings?kind=use-after-rule&limit=1');
  const { id, entries, user, see } = items[0];
  const { page } = await openConsole(cleanups, { path: `/findings?finding=${id}` });
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: `Entry ${entries[0]}` }).click();
  const entry = dialog.getByRole('region', { name: `Entry ${entries[0]}` });
  // The hour in which the history was made decides whether a use or a summary of uses comes first.
  const { type, payload } = await askApi('GET', `/v1/entries/${entries[0]}`);
  await entry.getByText(type, { exact: true }).waitFor();
  await entry.getByText(user.sub, { exact: true }).waitFor();
  const event = JSON.parse(Buffer.from(payload.bytes, 'base64').toString('utf8')) as { time: string };
  await entry.locator(`time[datetime="${event.time}"]`).waitFor();
  await entry.getByText(event.time.slice(0, 19).replace('T', ' ')).waitFor();
  expect(await dialog.getByRole('link', { name: see }).getAttribute('href')).toBe(see);
});

it('a new finding appears by itself', async () => {
  const { page } = await openConsole(cleanups, { path: '/findings?kind=%5B%22administration%22%5D' });
  const told = page.getByText('admin made a-new-administrator an administrator.');
  await page.getByText('No finding').or(page.getByRole('table')).first().waitFor();
  expect(await told.count()).toBe(0);
  await askApi('POST', '/v1/callers', { id: 'a-new-administrator', roles: { admin: {} } });
  await told.waitFor();
});
