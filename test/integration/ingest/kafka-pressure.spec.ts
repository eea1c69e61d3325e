import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { buildEvent } from '../../../src/emit/index.js';
import { createIntake, createRuleQuota } from '../../../src/ingest/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { hold } from '../../support/hold.js';
import { access } from '../../support/stage.js';
import { createKafkaStage, until, type KafkaStage } from './kafka-fixture.js';
import { testSignatures } from '../../support/signatures.js';

const PARTITIONS = 12;
const EVENTS_A_PARTITION = 2_500;
const STANDS_STILL = 30;
const BATCH = 'application/cloudevents-batch+json';

/** A figure, once it stands still. */
async function settled(measure: () => Promise<number | undefined>): Promise<number> {
  let last: number | undefined;
  let same = 0;
  await until(async () => {
    const now = await measure();
    same = now === last ? same + 1 : 0;
    last = now;
    return same === STANDS_STILL;
  });
  return last!;
}

let stage: KafkaStage;
beforeAll(async () => {
  stage = await createKafkaStage();
});
afterAll(() => stage.stop());

it('a flood from Kafka waits in Kafka while nothing can be written: HTTP keeps its room, and no partition gives up', async () => {
  const source = await stage.register({ partitions: PARTITIONS });
  const used = (id: string) => buildEvent('access.allowed', { source: source.uri, id, data: access() });
  for (let partition = 0; partition < PARTITIONS; partition++) {
    await stage.send(
      source,
      Array.from({ length: EVENTS_A_PARTITION }, (_, n) => used(`${partition}-${n}`)),
      { partition },
    );
  }
  const letGo = await hold(stage.database.pool, 'SELECT FROM ledger_head FOR UPDATE');

  const process = await stage.startProcess();
  // Half of 20,000, and what was fetched before it was full.
  await until(async () => ((await process.measured('rescind_ingest_waiting_events')) ?? 0) >= 10_000);
  const { follower, appender } = process;
  await stage.registry.createCaller(
    { id: stage.caller.id, tenant: stage.tenant },
    { id: 'poster', roles: { emit: { sources: [source.name] } } },
  );
  await until(() => follower.state.caller('poster') !== undefined);
  const events = Array.from({ length: 1_000 }, (_, n) => used(`posted-${n}`));
  const posted = createIntake({
    follower,
    appender,
    ruleQuota: createRuleQuota({ state: follower.state, metrics: createMetrics() }),
    signatures: testSignatures({ pool: stage.database.pool, follower, appender }),
  }).take({ contentType: BATCH, body: Buffer.from(JSON.stringify(events)), caller: follower.state.caller('poster')! });
  expect(await settled(() => process.measured('rescind_ingest_waiting_events'))).toBeLessThan(
    (PARTITIONS * EVENTS_A_PARTITION) / 1.2,
  );

  await letGo();
  expect(await posted).toMatchObject({
    batch: expect.arrayContaining([expect.objectContaining({ state: 'sequenced' })]),
  });
  await until(async () => (await stage.stored(source)) === PARTITIONS * EVENTS_A_PARTITION + events.length);
  expect(await process.seen('duplicate')).toBe(0);
}, 60_000);
