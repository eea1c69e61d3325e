import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DETECTIONS, followNext } from '../../../src/findings/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { metricsWith } from '../../support/metrics.js';
import { createCli } from '../registry/cli-fixture.js';
import { startReceiver, until } from '../channels/receiver.js';
import { startActing, type Acting } from './acting.js';

let acting: Acting;
let says: ReturnType<typeof createCli>;
const cleanups = cleanUp(afterAll);
beforeAll(async () => {
  acting = await startActing(cleanups, 'ingest,serve,feed');
  says = createCli(acting.home);
});

it('a running service orders the rule of a new finding, the command line sets and shows it, and a person lifts it', async () => {
  expect((await says('detections')).out).toMatch(/^bulk-export +high +off +A client read far more/m);
  const set = await says('detections set bulk-export --action block --users 2 --tokens 9');
  expect(set).toMatchObject({ code: 0 });
  expect(set.out).toMatch(/^action +block\ncap +2 users, 9 tokens, 5 an hour\nset by +admin, .*\nentry +\d+$/m);
  expect((await says('detections')).out).toMatch(/^bulk-export +high +block +2 users, 9 tokens, 5 an hour /m);
  const receiver = await startReceiver();
  cleanups.push(() => receiver.stop());
  await acting.done('PUT', '/v1/channels/rules', { kind: 'webhook', address: receiver.url, news: ['rule-ordered'] });
  const stream = await fetch(new URL('/v1/stream', acting.rescind.url), {
    headers: { authorization: `Bearer ${acting.rescind.adminKey}` },
  });
  const streamed = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
  const text = await acting.exports('eve');
  while (await acting.isActive(text)) await delay(50);
  const exposed = await metricsWith(acting.rescind.url, /^rescind_findings_actions_total\{outcome="ordered"\} 1$/m);
  expect(exposed).toMatch(/^rescind_findings_action_errors_total 0$/m);
  const { id, action } = await acting.finding('eve');
  const shown = (await says(`findings show ${id}`)).out;
  expect(shown).toContain(`Its detection ordered rule ${action!.rule}, which came into force.`);
  const told = await until('the message of the channel', () => receiver.arrived[0]);
  expect(told.body).toMatchObject({
    type: 'finding.rule-ordered',
    data: { id, action: { outcome: 'ordered', rule: action!.rule } },
  });
  let lines = '';
  while (!lines.includes('"what":"rule-ordered"')) lines += (await streamed.read()).value ?? '';
  await streamed.cancel();
  expect((await says(`revoke lift ${action!.rule} --resume`)).code).toBe(0);
  expect(await acting.isActive(text)).toBe(true);
  expect((await says('detections set bulk-export --action off')).out).toMatch(/^action +off$/m);
  expect((await says('detections show administration')).out).toContain('What it looks for');
  expect((await says('detections set administration')).code).not.toBe(0);
  expect((await says('detections set bulk-export --users none')).code).not.toBe(0);
});

it('says while it reads how many entries are left', async () => {
  const { pool, tenant } = acting;
  await acting.rescind.stop();
  await pool.query('DELETE FROM finding_cursor');
  const behind: number[] = [];
  await followNext({
    pool,
    tenants: () => [tenant],
    control: acting.reader,
    detections: DETECTIONS,
    stepEntries: 2,
    onBehind: (entries) => behind.push(entries),
  });
  expect(behind.length).toBeGreaterThan(2);
  expect(behind).toEqual(behind.toSorted((left, right) => right - left));
  expect(behind.at(-1)).toBe(0);
});
