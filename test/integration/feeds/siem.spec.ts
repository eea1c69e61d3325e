import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSiemFeed, ocsfTopic } from '../../../src/feeds/index.js';
import { contentOf } from '../../../src/ingest/index.js';
import { createAsk } from '../../../src/projections/index.js';
import { appendEntries, prepareEntry } from '../../../src/log/index.js';
import type { TopicRecord } from '../../../src/platform/kafka/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { inTransaction } from '../../../src/platform/postgres/index.js';
import { ocsfFaults } from '../../support/ocsf.js';
import { hold } from '../../support/hold.js';
import { testLog } from '../../support/services.js';
import { spawnPublisher } from './publisher.js';
import { createWorld, KEY, numbers, TENANT, tenantRecord, until, type World } from './topics-fixture.js';

const TEST_TIMEOUT_MS = 120_000;
const OTHER_TENANT = '00000000-0000-4000-8000-000000000002';
const SOURCE = '10000000-0000-4000-8000-000000000001';
const IDP = 'https://idp.example';

let world: World;
beforeEach(async () => {
  world = await createWorld();
  await world.append(tenantRecord());
});
afterEach(() => world.end());

/** Writes entries to a tenant's ledger: users that were disabled, each once. */
const say = (subs: readonly string[], tenant = TENANT): Promise<unknown> =>
  inTransaction(world.pool, (client) =>
    appendEntries(
      client,
      subs.map((sub) => {
        const type = 'dev.rescind.user.disabled.v1';
        const event = {
          specversion: '1.0',
          type,
          source: IDP,
          id: sub,
          time: '2026-11-20T09:00:00Z',
          data: { iss: IDP, sub },
        };
        return prepareEntry({
          tenant,
          tenantKey: KEY,
          type,
          source: SOURCE,
          eventId: sub,
          mode: 'structured',
          headers: [['content-type', 'application/cloudevents+json']],
          bytes: Buffer.from(JSON.stringify(event)),
        });
      }),
      contentOf,
    ),
  );
const users = (count: number, from = 0): string[] => numbers(from + count, from + 1).map((nth) => `u-${nth}`);

async function told(tenant = 'acme'): Promise<TopicRecord[]> {
  const found: TopicRecord[] = [];
  const topic = ocsfTopic(world.prefix, tenant);
  if ((await world.reader.end(topic)) === undefined) return found;
  for await (const records of world.reader.read(topic)) found.push(...records);
  return found;
}
const sequences = (records: readonly TopicRecord[]): number[] => records.map(({ key }) => Number(key));
const cursorOf = async (tenant = 'acme'): Promise<number> =>
  Number(
    (
      await world.pool.query<{ seq: string }>('SELECT seq FROM topic_cursor WHERE topic = $1', [
        ocsfTopic(world.prefix, tenant),
      ])
    ).rows[0]?.seq ?? -1,
  );

async function startFeed() {
  const follower = await world.follow();
  const metrics = createMetrics();
  const feed = createSiemFeed({
    ask: createAsk({ pool: world.pool, now: () => Math.floor(Date.now() / 1000) }),
    kafka: world.kafka,
    pool: world.pool,
    state: follower.state,
    log: testLog(),
    metrics,
    prefix: world.prefix,
  });
  world.onEnd(() => feed.stop());
  feed.start();
  return { feed, metrics };
}

describe('the OCSF topic of a tenant', () => {
  it(
    'has each entry from the beginning of the ledger, in ledger order, and what comes later',
    async () => {
      await say(users(2_500));
      const { metrics } = await startFeed();
      await until('the ledger is published', async () => (await cursorOf()) === 2_500);
      await say(users(3, 2_500));
      await until('the rest is published', async () => (await cursorOf()) === 2_503);
      const records = await told();
      expect(sequences(records)).toEqual(numbers(2_502, 0));
      expect(records.flatMap(({ value }) => ocsfFaults(JSON.parse(value!.toString()) as object))).toEqual([]);
      expect(JSON.parse(records[2_502]!.value!.toString())).toMatchObject({
        class_uid: 3004,
        type_uid: 300409,
        metadata: { sequence: 2_502, tenant_uid: 'acme', event_code: 'user.disabled' },
        entity: { user: { uid: 'u-2503', domain: IDP } },
      });
      expect(await metrics.text()).toContain(
        `rescind_ocsf_feed_lag_entries{topic="${ocsfTopic(world.prefix, 'acme')}"} 0`,
      );
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'has no entry of another tenant, which has a topic of its own',
    async () => {
      await world.append(tenantRecord(OTHER_TENANT, 'globex'));
      await say(users(2));
      await say(users(1, 10), OTHER_TENANT);
      await startFeed();
      await until('both are published', async () => (await cursorOf()) === 2 && (await cursorOf('globex')) === 1);
      expect((await told()).map(({ value }) => String(value)).join('')).not.toContain('u-11');
      expect((await told('globex')).map(({ value }) => String(value)).join('')).toContain('u-11');
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'repeats the entries of a process that was killed before it stored its position, skips none, and keeps their order',
    async () => {
      await say(users(2));
      const first = await spawnPublisher(world, 'siem');
      await until('the cursor is stored', async () => (await cursorOf()) === 2);
      const letGo = await hold(world.pool, 'SELECT FROM topic_cursor FOR UPDATE');
      await say(users(3, 2));
      await until('they are published', async () => sequences(await told()).at(-1) === 4);
      await first.kill();
      await letGo();
      expect(await cursorOf()).toBe(2);

      await spawnPublisher(world, 'siem');
      await say(users(1, 5));
      await until('all are published', async () => (await cursorOf()) === 6);
      const seen = sequences(await told());
      expect(seen.slice(0, 5)).toEqual([0, 1, 2, 3, 4]);
      expect(seen.slice(5)).toEqual([2, 3, 4, 5]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'is written by one of two processes, and by the other once the first is gone',
    async () => {
      const first = await spawnPublisher(world, 'siem');
      await until('the first one publishes', first.leads);
      const second = await spawnPublisher(world, 'siem');
      await say(users(50));
      await until('they are published', async () => (await cursorOf()) === 50);
      expect(await second.leads()).toBe(false);
      expect(sequences(await told())).toEqual(numbers(49, 0));
      await first.kill();
      await say(users(50, 50));
      await until('the other one has gone on', async () => (await cursorOf()) === 100);
      expect(await second.leads()).toBe(true);
      expect(sequences(await told())).toEqual(numbers(99, 0));
    },
    TEST_TIMEOUT_MS,
  );
});
