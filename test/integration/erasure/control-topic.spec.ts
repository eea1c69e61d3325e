import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTopicFeeds, createControlFence, restoreControlLog, type TopicFeeds } from '../../../src/feeds/index.js';
import { createControlSeal } from '../../../src/feeds/topics/control-message.js';
import { controlTopic, revocationsTopic } from '../../../src/feeds/topics/names.js';
import { createKafka, type Kafka, type TopicRecord } from '../../../src/platform/kafka/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { DEFAULT_TENANT } from '../../../src/registry/index.js';
import { fromIdp, IDP } from '../../support/stage.js';
import { createMigratedDatabase, testBrokers, testLog, uniqueName, type TestDatabase } from '../../support/services.js';
import { until } from '../feeds/topics-fixture.js';
import {
  ALICE,
  aliceEvents,
  BOB,
  createErasureWorld,
  LOCAL,
  SHOWN,
  tablesWith,
  type ErasureWorld,
} from './erasure-fixture.js';

const TEST_TIMEOUT_MS = 120_000;

let world: ErasureWorld;
let kafka: Kafka;
let prefix: string;
let key: Buffer;
let running: TopicFeeds | undefined;
let emptied: TestDatabase;
beforeEach(async () => {
  [world, emptied] = await Promise.all([createErasureWorld(), createMigratedDatabase()]);
  kafka = createKafka({ brokers: testBrokers(), clientId: 'spec', log: testLog(), retry: { initialRetryTime: 50 } });
  prefix = uniqueName('anew');
  key = randomBytes(32);
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await Promise.all([world.stop(), emptied.drop()]);
});

type Breaks = Partial<ReturnType<Kafka['topicWriter']>>;

/** Publishes the control log, and writes the topic anew as soon as there is a reason. */
function publish(breaks: Breaks = {}): void {
  const { database, controlLog, follower } = world.stage;
  const broken = {
    ...kafka,
    topicWriter: (id: string) => ({ ...kafka.topicWriter(id), ...breaks }),
  };
  running = createTopicFeeds({
    kafka: broken,
    key,
    pool: database.pool,
    controlLog,
    follower,
    log: testLog(),
    metrics: createMetrics(),
    prefix,
    anewAfterMs: 0,
    anewCheckMs: 0,
  });
  running.start();
}

async function read(topic: string): Promise<TopicRecord[]> {
  const reader = kafka.topicReader();
  const found: TopicRecord[] = [];
  for await (const records of reader.read(topic)) found.push(...records);
  await reader.stop();
  return found;
}

/** Opens the topic: the seqs in their order, and all texts. */
async function control(): Promise<{ readonly seqs: readonly number[]; readonly text: string }> {
  const seal = createControlSeal(key);
  const copies = (await read(controlTopic(prefix))).map((record) => seal.open(record)!);
  return {
    seqs: copies.map(({ record }) => Number(record.seq)),
    text: JSON.stringify(copies.map(({ record }) => record.body)),
  };
}

const head = async (): Promise<number> =>
  Number((await world.rows<{ seq: string }>('SELECT seq FROM control_head'))[0]!.seq);
const published = () => until('all is published', async () => (await control()).seqs.at(-1) === (await head()));
const writtenAnew = () =>
  until('nothing is due', async () => (await world.rows('SELECT FROM control_names_erased')).length === 0);
const dense = async (): Promise<number[]> => Array.from({ length: await head() }, (_, nth) => nth + 1);
const keys = { find: async () => key, ensure: async () => key };
const restore = () => restoreControlLog({ kafka, pool: emptied.pool, keys, prefix });
const LOG = 'SELECT seq, tenant, kind, subject, version, at, body FROM control_log ORDER BY seq';
const fenceOf = async ({ pool }: Pick<TestDatabase, 'pool'>) => {
  const fence = createControlFence({ kafka, pool, keys, prefix, log: testLog() });
  return fence.check().finally(() => fence.stop());
};

describe('the topic of the control log after an erasure', () => {
  it(
    'is written anew without the names, and restores the log as it is now',
    async () => {
      await world.stage.emit(...aliceEvents());
      publish();
      await published();
      expect((await control()).text).toContain(ALICE);
      const told = (await read(revocationsTopic(prefix, DEFAULT_TENANT))).length;
      expect(told).toBeGreaterThan(0);
      await world.erase();
      await writtenAnew();

      const { seqs, text } = await control();
      expect(seqs).toEqual(await dense());
      for (const name of [ALICE, LOCAL, SHOWN]) expect(text).not.toContain(name);
      expect(text).toContain('erased person ');
      // The topic does not keep the old records, and apps on a tenant's topic hear nothing twice.
      expect((await read(controlTopic(prefix)))[0]!.offset).toBeGreaterThan(0n);
      expect(await read(revocationsTopic(prefix, DEFAULT_TENANT))).toHaveLength(told);

      await world.stage.emit(fromIdp('user.disabled', { iss: IDP, sub: BOB }));
      await published();
      expect(await restore()).toMatchObject({ restored: await head(), repeated: 0, foreign: 0 });
      expect((await emptied.pool.query(LOG)).rows).toEqual(await world.rows(LOG));
      const there = {
        rows: async <R extends object>(sql: string, values: readonly unknown[] = []) =>
          (await emptied.pool.query<R>(sql, [...values])).rows,
      };
      expect(await tablesWith(there, ALICE)).toEqual({});
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'still keeps out a database that was put back, by the cursor of its time',
    async () => {
      await world.stage.emit(...aliceEvents());
      publish();
      await published();
      const before = await head();
      const [{ cursor }] = (await world.rows<{ cursor: object }>(
        'SELECT to_jsonb(c) AS cursor FROM topic_cursor c WHERE topic = $1',
        [controlTopic(prefix)],
      )) as [{ cursor: object }];
      const log = await world.rows<{ row: object }>('SELECT to_jsonb(l) AS row FROM control_log l');
      await world.stage.emit(fromIdp('user.disabled', { iss: IDP, sub: BOB }));
      await published();
      await world.erase();
      await writtenAnew();
      expect(await fenceOf(world.stage.database)).toBeUndefined();

      await emptied.pool.query(
        'INSERT INTO control_log SELECT * FROM jsonb_populate_recordset(NULL::control_log, $1)',
        [JSON.stringify(log.map(({ row }) => row))],
      );
      await emptied.pool.query('UPDATE control_head SET seq = $1', [before]);
      await emptied.pool.query('INSERT INTO topic_cursor SELECT * FROM jsonb_populate_record(NULL::topic_cursor, $1)', [
        JSON.stringify(cursor),
      ]);
      expect(await fenceOf(emptied)).toMatchObject({ code: 'control-log-behind' });
      // The records that the backup has are those of the topic, though the topic has lost their names.
      expect(await restore()).toMatchObject({ compared: before, head: String(await head()) });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'holds what it held if the writing breaks off, and is written anew by the next attempt',
    async () => {
      await world.stage.emit(...aliceEvents());
      let attempts = 0;
      publish({
        deleteBefore: async () => {
          attempts += 1;
          throw new Error('killed before the old records went');
        },
      });
      await published();
      await world.erase();
      await until('it was tried twice', () => attempts > 1);
      await running!.stop();
      const { seqs, text } = await control();
      expect(seqs.length).toBeGreaterThan(2 * (await head()));
      expect(text).toContain(ALICE);
      // A restore in between takes each record once.
      expect(await restore()).toMatchObject({ restored: await head() });
      expect(await fenceOf(world.stage.database)).toBeUndefined();
      publish();
      await writtenAnew();
      const after = await control();
      expect(after.seqs).toEqual(await dense());
      expect(after.text).not.toContain(ALICE);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'is not written anew where records cannot be deleted, and goes on',
    async () => {
      await world.stage.emit(...aliceEvents());
      let asked = 0;
      publish({
        requireDeletable: async () => {
          asked += 1;
          throw new Error('TOPIC_AUTHORIZATION_FAILED');
        },
      });
      await published();
      await world.erase();
      await until('it was asked', () => asked > 1);
      await world.stage.emit(fromIdp('user.disabled', { iss: IDP, sub: BOB }));
      await published();
      expect((await control()).seqs).toEqual(await dense());
      expect((await control()).text).toContain(ALICE);
      expect(await world.rows('SELECT FROM control_names_erased')).toHaveLength(1);
    },
    TEST_TIMEOUT_MS,
  );
});
