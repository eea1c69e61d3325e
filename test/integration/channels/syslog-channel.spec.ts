import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { cleanUp } from '../../support/cleanups.js';
import { ocsfFaults } from '../../support/ocsf.js';
import { startPushing, type Pushing } from './pushing.js';
import { until } from './receiver.js';
import { startReceiver } from './syslog-receiver.js';

const cleanups = cleanUp(afterAll);
let pushing: Pushing;
beforeAll(async () => {
  pushing = await startPushing(cleanups);
  const deliverer = pushing.startDelivering();
  cleanups.push(() => deliverer.stop());
});

it('a channel of syslog gets findings, is tried with one command, and gets OCSF where that is wanted', async () => {
  const receiver = await startReceiver();
  cleanups.push(() => receiver.stop());
  const address = `syslog-tls://127.0.0.1:${receiver.port}`;
  expect(await pushing.ok('PUT', '/siem', { kind: 'syslog', address })).toMatchObject({ target: address });
  expect(await pushing.ok('POST', '/siem/try')).toMatchObject({ delivered: true, problem: null });
  expect(receiver.messages[0]).toMatchObject({ msgId: 'finding.test', hostname: 'rescind.example', severity: 6 });

  const id = await pushing.makeFinding('syslog-1');
  await until('it is told', () =>
    receiver.messages.some(({ structured }) => structured.get('finding@32473')!.get('id') === id),
  );
  const [told] = receiver.messages.filter(({ structured }) => structured.get('finding@32473')!.get('id') === id);
  expect(told).toMatchObject({ msgId: 'finding.opened', severity: 3 });
  expect(JSON.parse(told!.msg)).toMatchObject({
    type: 'finding.opened',
    data: { id, kind: 'token-from-two-networks' },
  });

  await pushing.ok('PUT', '/siem', { kind: 'syslog', format: 'ocsf' });
  const other = await pushing.makeFinding('syslog-2');
  await until('it is told', () =>
    receiver.messages.some(({ structured }) => structured.get('finding@32473')!.get('id') === other),
  );
  const event = JSON.parse(receiver.messages.at(-1)!.msg) as object;
  expect(ocsfFaults(event)).toEqual([]);
  expect(event).toMatchObject({ class_uid: 2004, metadata: { tenant_uid: 'acme' }, finding_info: { uid: other } });
  expect(receiver.faults).toEqual([]);
});

it('an address that is no receiver of syslog is refused', async () => {
  for (const address of ['https://siem.example', 'syslog-tls://siem.example/path', 'syslog://siem.example'])
    expect((await pushing.call('PUT', '/wrong', { kind: 'syslog', address })).status).toBe(400);
  expect((await pushing.call('PUT', '/wrong', { kind: 'syslog', format: 'ocsf' })).status).toBe(400);
  expect(
    (await pushing.call('PUT', '/wrong', { kind: 'syslog', address: 'syslog-tls://a', format: 'cef' })).status,
  ).toBe(400);
});
