import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { createControlFollower, createControlLog } from '../../src/control/index.js';
import { createAppender, createLogBoundsReader, createOffsetStore, createPartitions } from '../../src/ingest/index.js';
import { createKafka, createMetrics } from '../../src/platform/index.js';
import { createTestDatabase, ownKafka, testLog } from '../support/services.js';
import { deploy, until, type Deployment } from './deployment.js';
import { createJudge } from './judge.js';

const TEST_TIMEOUT_MS = 90_000;
/** Long enough for a batch, short enough to see it end what is stuck. */
const TRANSACTION_TIMEOUT_MS = 3_000;
/** The server's other bound, on a transaction without a statement (10 s), may come first. */
const ENDED_WITHIN_MS = 15_000;

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  delete process.env['FAULT_TRANSACTION_TIMEOUT_MS'];
});

async function deployed(brokers?: string[]): Promise<{ deployment: Deployment; url: string }> {
  const database = await createTestDatabase();
  cleanups.push(() => database.drop());
  const deployment = await deploy(database.url, brokers);
  cleanups.push(() => deployment.stop());
  return { deployment, url: database.url };
}

describe('an ingesting process that is stopped in the middle of a batch', () => {
  it(
    'is left behind: its transaction is ended, another takes its partitions, and nothing is stored twice when it wakes',
    async () => {
      process.env['FAULT_TRANSACTION_TIMEOUT_MS'] = String(TRANSACTION_TIMEOUT_MS);
      const { deployment } = await deployed();
      const { sendUntilMidBatch, expectWhole, everythingDealtWith, outboxPaid, traffic } = createJudge(deployment);
      const sent = traffic(7, 250);
      const pending = [...sent];
      await deployment.start();
      await sendUntilMidBatch({ sent, pending }, sent.length / 4);
      process.kill(deployment.pid(), 'SIGSTOP');
      const stuckSince = performance.now();
      await until(async () => !(await deployment.isWriting()));
      expect(performance.now() - stuckSince).toBeLessThan(ENDED_WITHIN_MS);
      await deployment.startAnother();
      await deployment.send(pending);
      await until(() => everythingDealtWith(sent));
      process.kill(deployment.pid(), 'SIGCONT');
      await until(outboxPaid);
      await expectWhole(sent);
    },
    TEST_TIMEOUT_MS,
  );
});

describe('Kafka', () => {
  it(
    'killed in the middle of a batch and started again: every event once',
    async () => {
      const kafka = await ownKafka();
      cleanups.push(() => kafka.remove());
      await kafka.start();
      const { deployment } = await deployed(kafka.brokers);
      const { sendUntilMidBatch, expectWhole, everythingDealtWith, outboxPaid, traffic } = createJudge(deployment);
      const sent = traffic(9, 250);
      const pending = [...sent];
      await deployment.start();
      await sendUntilMidBatch({ sent, pending }, sent.length / 4);
      kafka.kill();
      await kafka.start();
      await deployment.send(pending);
      await until(() => everythingDealtWith(sent));
      await until(outboxPaid);
      await expectWhole(sent);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'with a corrupt record set: that partition stops with a reason, the others go on, and an operator lets it go on behind it',
    async () => {
      const kafka = await ownKafka();
      cleanups.push(() => kafka.remove());
      await kafka.start();
      const { deployment, url } = await deployed(kafka.brokers);
      const { dealtWith, traffic } = createJudge(deployment);
      const sent = traffic(11, 60);
      const half = sent.length >> 1;
      await deployment.send(sent.slice(0, half));
      await deployment.send(sent.slice(half));
      await kafka.stop();
      const { offset, records } = await spoilLastBatch(join(kafka.directory, 'data', `${deployment.chat.topic}-1`));
      await kafka.start();

      await deployment.start();
      await until(async () => (await stopped()) !== undefined);
      expect(await stopped()).toEqual({ topic: deployment.chat.topic, partition: 1, stopped: `unreadable: the record set at offset ${offset} cannot be read (checksum)`, next_offset: String(offset) });
      await until(async () => (await dealtWith()) === sent.length - records);

      const { partitions, end } = await operator(deployment, url, kafka.brokers);
      cleanups.push(end);
      const asker = { id: 'admin', tenant: deployment.tenant, operator: true };
      expect(await partitions.list(asker)).toContainEqual(expect.objectContaining({ topic: deployment.chat.topic, partition: 1, lag: String(records), stopped: expect.stringMatching(/^unreadable:/) }));
      const decision = { at: BigInt(offset + records), reason: 'the disk lost it' };
      const resumed = await partitions.resume(asker, deployment.chat.topic, 1, decision);
      expect(resumed).toMatchObject({ stopped: null, skipped: { from_offset: String(offset), to_offset: String(offset + records) } });
      await expect(partitions.resume(asker, deployment.chat.topic, 1, decision)).rejects.toMatchObject({ code: 'edit-conflict' });

      const more = traffic(13, 30);
      await deployment.send(more);
      await until(async () => (await dealtWith()) === sent.length + more.length);
      expect(await stopped()).toBeUndefined();
      const gaps = await deployment.pool.query(`SELECT convert_from(bytes, 'UTF8')::jsonb->'data' AS data FROM entry JOIN payload USING (tenant, ix) WHERE type LIKE '%log.gap%'`);
      expect(gaps.rows).toEqual([{ data: expect.objectContaining({ partition: 1, from_offset: String(offset), reason: 'the disk lost it' }) }]);

      async function stopped(): Promise<object | undefined> {
        return (await deployment.pool.query('SELECT topic, partition, stopped, next_offset FROM kafka_offset WHERE stopped IS NOT NULL')).rows[0];
      }
    },
    TEST_TIMEOUT_MS,
  );
});

describe('a database that was restored from an earlier state', () => {
  it(
    'reads again what it does not have, and holds every event once',
    async () => {
      const { deployment, url } = await deployed();
      const { sendUntilMidBatch, expectWhole, everythingDealtWith, outboxPaid, traffic, dealtWith } = createJudge(deployment);
      const sent = traffic(15, 200);
      const pending = [...sent];
      await deployment.start();
      await sendUntilMidBatch({ sent, pending }, sent.length / 3);
      await deployment.kill();
      const before = await dealtWith();
      const saved = await copyDatabase(url);
      await deployment.start();
      await deployment.send(pending);
      await until(() => everythingDealtWith(sent));
      await deployment.kill();
      await saved.restore();
      expect(await dealtWith()).toBe(before);
      await deployment.start();
      await until(() => everythingDealtWith(sent));
      await until(outboxPaid);
      await expectWhole(sent);
    },
    TEST_TIMEOUT_MS,
  );
});

/** Flips one byte in the records of the last batch of a partition. */
async function spoilLastBatch(directory: string): Promise<{ offset: number; records: number }> {
  const segment = (await readdir(directory)).filter((name) => name.endsWith('.log')).sort().at(-1)!;
  const file = await open(join(directory, segment), 'r+');
  const { size } = await file.stat();
  const bytes = Buffer.alloc(size);
  await file.read(bytes, 0, size, 0);
  let last = 0;
  for (let at = 0; at < size; at += 12 + bytes.readInt32BE(at + 8)) last = at;
  const offset = Number(bytes.readBigInt64BE(last));
  const records = bytes.readInt32BE(last + 23) + 1;
  const at = last + 61 + ((size - last - 61) >> 1);
  await file.write(Buffer.from([bytes[at]! ^ 0x55]), 0, 1, at);
  await file.close();
  return { offset, records };
}

/** What a node with the role `ingest` has for an operator. */
async function operator(deployment: Deployment, url: string, brokers: readonly string[]) {
  const { pool } = deployment;
  const controlLog = createControlLog({ pool });
  const follower = createControlFollower({ url, controlLog, log: testLog(), serves: false });
  await follower.start();
  const appender = createAppender({ pool, controlLog, follower, log: testLog(), metrics: createMetrics() });
  const bounds = createLogBoundsReader({ kafka: createKafka({ brokers, clientId: 'spec-operator', log: testLog() }) });
  const partitions = createPartitions({ offsets: createOffsetStore({ pool }), bounds, follower, appender, log: testLog() });
  const end = async (): Promise<void> => {
    await bounds.stop();
    await appender.stop();
    await follower.stop();
  };
  return { partitions, end };
}

/** A copy that can be put in its place. */
async function copyDatabase(url: string): Promise<{ restore(): Promise<void> }> {
  const name = new URL(url).pathname.slice(1);
  const server = new URL(url);
  server.pathname = '/postgres';
  const replace = async (from: string, to: string): Promise<void> => {
    const client = new Client({ connectionString: server.href });
    await client.connect();
    await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY($1)', [[from, to]]);
    await client.query(`DROP DATABASE IF EXISTS ${to} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${to} TEMPLATE ${from} STRATEGY wal_log`);
    await client.end();
  };
  await replace(name, `${name}_saved`);
  return { restore: () => replace(`${name}_saved`, name) };
}
