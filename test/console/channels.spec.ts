import { afterEach, describe, expect, it } from '@jest/globals';
import { startReceiver, until } from '../integration/channels/receiver.js';
import { cleanUp } from '../support/cleanups.js';
import { askApi, openConsole } from './open-console.js';

const cleanups = cleanUp(afterEach);

/** A channel that a receiver answers with these statuses, the last one from then on. It hears of some kinds of findings, or of all. */
async function startChannel(name: string, statuses: readonly number[], kinds?: readonly string[]) {
  const receiver = await startReceiver({
    answer: (_, nth) => ({ status: statuses[nth - 1] ?? statuses.at(-1) ?? 200, text: `answer ${nth}` }),
  });
  cleanups.push(() => receiver.stop());
  const { secret } = await askApi('PUT', `/v1/channels/${name}`, { kind: 'webhook', address: receiver.url, kinds });
  cleanups.push(() => askApi('DELETE', `/v1/channels/${name}`));
  return { receiver, secret: secret as string };
}

describe('an administrator', () => {
  it('adds a channel, reads its secret once, and tries it', async () => {
    const receiver = await startReceiver({ answer: () => ({ status: 202, text: 'thank you' }) });
    cleanups.push(() => receiver.stop());
    const { page, search, faults } = await openConsole(cleanups, { path: '/channels' });
    await page.getByRole('button', { name: 'Add a channel' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('soc');
    await dialog.getByLabel('Address of the program').fill(receiver.url);
    await dialog.getByLabel('Tags').fill('crown-jewel');
    await dialog.getByLabel('Tags').press('Enter');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByText(/^whsec_/).waitFor();
    cleanups.push(() => askApi('DELETE', '/v1/channels/soc'));
    expect(search().get('channel')).toBe('soc');
    expect(await askApi('GET', '/v1/channels/soc')).toMatchObject({
      kind: 'webhook',
      severity: 'info',
      tags: ['crown-jewel'],
      kinds: null,
    });
    await dialog.getByRole('button', { name: 'Try it' }).click();
    await dialog.getByText('The receiver took it').waitFor();
    await dialog.getByText('thank you').waitFor();
    expect(receiver.arrived[0]!.body.type).toMatch(/test/);
    await page.reload();
    await dialog.getByRole('tab', { name: 'Setting' }).waitFor();
    expect(await dialog.getByText(/^whsec_/).count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it('changes filters without the address, and gets another secret', async () => {
    const { receiver, secret } = await startChannel('on-call', [200]);
    const { page } = await openConsole(cleanups, { path: '/channels?channel=on-call' });
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('tab', { name: 'Setting' }).click();
    await dialog.getByRole('combobox', { name: 'Severity' }).or(dialog.getByLabel('Severity')).first().click();
    await page.getByRole('option', { name: 'high or higher' }).click();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('button', { name: 'Saved' }).waitFor();
    expect(await askApi('GET', '/v1/channels/on-call')).toMatchObject({ severity: 'high', enabled: true });
    await dialog.getByRole('button', { name: 'Rotate the secret' }).click();
    const shown = dialog.getByText(/^whsec_/);
    await shown.waitFor();
    expect(await shown.innerText()).not.toBe(secret);
    await dialog.getByRole('button', { name: 'Try it' }).click();
    await dialog.getByText('The receiver took it').waitFor();
    // The old secret signs beside the new one.
    expect(String(receiver.arrived.at(-1)!.headers['webhook-signature']).split(' ')).toHaveLength(2);
  });

  it('sees a delivery that the receiver refused for good, and sends it again', async () => {
    // Other specs say something of other kinds meanwhile, and of the first findings of all.
    const kind = 'lineage-trouble';
    const { items } = await askApi('GET', `/v1/findings?kind=${kind}&limit=1`);
    const { id } = items[0];
    const { receiver } = await startChannel('siem', [410, 200], [kind]);
    await askApi('POST', `/v1/findings/${id}`, { state: 'acknowledged' });
    cleanups.push(() => askApi('POST', `/v1/findings/${id}`, { state: 'open' }));
    await until('the refusal', () => receiver.arrived.length > 0);
    const { page } = await openConsole(cleanups, { path: '/channels?channel=siem' });
    const deliveries = page.getByRole('dialog').getByRole('table', { name: 'Deliveries' });
    await deliveries.getByText('dead · 410').waitFor();
    await page.getByRole('button', { name: 'Send 1 dead again' }).click();
    await deliveries.getByText('delivered · 200').waitFor();
    expect(receiver.arrived[1]!.headers['webhook-id']).toBe(receiver.arrived[0]!.headers['webhook-id']);
    await deliveries.getByRole('button', { name: 'Again' }).click();
    await until('the third message', () => receiver.arrived.length === 3);
  });

  it('reads what a receiver answered that did not take a message', async () => {
    await startChannel('broken', [500]);
    const { page } = await openConsole(cleanups, { path: '/channels?channel=broken' });
    await page.getByRole('button', { name: 'Try it' }).click();
    await page.getByText('The receiver did not take it').waitFor();
    await page.getByText('answer 1').waitFor();
  });

  it('removes a channel after a second click', async () => {
    await askApi('PUT', '/v1/channels/gone', { kind: 'webhook', address: 'http://127.0.0.1:9/' });
    const { page } = await openConsole(cleanups, { path: '/channels?channel=gone' });
    await page.getByRole('tab', { name: 'Setting' }).click();
    await page.getByRole('button', { name: 'Remove the channel…' }).click();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    // Other specs have channels of their own meanwhile.
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByText('gone', { exact: true }).waitFor({ state: 'detached' });
    const { channels } = await askApi('GET', '/v1/channels');
    expect(channels.map(({ name }: any) => name)).not.toContain('gone');
  });
});

it('others read why they see no channel', async () => {
  const { secret } = await askApi('POST', '/v1/callers', { id: 'looks-at-channels', roles: { audit: {} } });
  const { page } = await openConsole(cleanups, { path: '/channels', key: secret });
  await page.getByText('You may not see channels').waitFor();
  expect(await page.getByRole('button', { name: 'Add a channel' }).count()).toBe(0);
});
