import { afterEach, expect, it } from '@jest/globals';
import { createCheckpointTopic } from '../../../src/feeds/index.js';
import { passLedgerFence, readPublished } from '../../../src/log/index.js';
import { createKafka } from '../../../src/platform/kafka/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { testBrokers, testLog, uniqueName } from '../../support/services.js';
import { createLedgerWorld, LOG_ORIGIN } from '../log/ledger-fixture.js';

const cleanups = cleanUp(afterEach);

async function start(brokers = testBrokers()) {
  const world = await createLedgerWorld();
  cleanups.push(() => world.stop());
  const kafka = createKafka({ brokers, clientId: 'spec', log: testLog(), retry: { retries: 1 } });
  const prefix = uniqueName('checkpoints');
  const topic = createCheckpointTopic({ kafka, prefix });
  cleanups.push(() => topic.stop());
  return { world, topic, kafka, prefix };
}

it('a checkpoint is in the topic before it is served, and tells an old backup without the file', async () => {
  const { world, topic, kafka, prefix } = await start();
  const { append, keeper, untilPublished, pool, tenant, query, directory } = world;
  const sut = keeper({ anchors: [topic] });
  await append(3);
  await untilPublished(3n);
  await append(4);
  await untilPublished(7n);
  await sut.stop();
  const { note } = (await readPublished(pool, tenant))!;
  expect((await topic.notes(tenant)).at(-1)).toBe(note);
  expect(await topic.notes('another tenant')).toEqual([]);
  // The directory was lost, too, but for the key.
  await query('DELETE FROM entry WHERE tenant = $1 AND ix >= 3', [tenant]);
  await query('UPDATE tree_head SET size = 3 WHERE tenant = $1', [tenant]);
  const lost = { ...directory, notes: async () => [] };
  const fence = { session: pool, tenant, logOrigin: LOG_ORIGIN, directory: lost };
  await expect(passLedgerFence({ ...fence, anchors: [topic] })).rejects.toMatchObject({ code: 'ledger-behind' });
  // Notes of strangers, larger and unsigned, hide nothing.
  const stranger = createCheckpointTopic({ kafka, prefix });
  cleanups.push(() => stranger.stop());
  await stranger.keep(tenant, { incarnation: 1, size: 9n, note: note.replace('\n7\n', '\n9\n') });
  await stranger.keep(tenant, { incarnation: 1, size: 1n, note: 'no note' });
  await expect(passLedgerFence({ ...fence, anchors: [topic] })).rejects.toMatchObject({
    code: 'ledger-behind',
    detail: expect.stringContaining('a checkpoint of 7 entries'),
  });
});

it('nothing is served while Kafka is away', async () => {
  const { world, topic } = await start(['127.0.0.1:1']);
  const sut = world.keeper({ anchors: [topic] });
  await world.append(3);
  while (sut.problem() === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await world.publishedSize()).toBe(0n);
});
