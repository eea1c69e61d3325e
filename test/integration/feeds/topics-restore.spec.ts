import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { run } from '../../../src/cli/run.js';
import type { RescindError } from '../../../src/contracts/index.js';
import {
  createLogCopies,
  type ControlRecord,
  type NewControlRecord,
  type Seq,
  type StatePart,
} from '../../../src/control/index.js';
import {
  controlTopic,
  createControlFence,
  createTopicKeys,
  restoreControlLog,
  TOPIC_KEY_FILE,
  type TopicKeys,
} from '../../../src/feeds/index.js';
import { createControlSeal, type ControlMessage } from '../../../src/feeds/topics/control-message.js';
import { startRescind } from '../../../src/main.js';
import { readConfig, Secret } from '../../../src/platform/config/index.js';
import { createKafka } from '../../../src/platform/kafka/index.js';
import { ensureTopics } from '../../../src/platform/kafka/topics.kafka.js';
import { createLog } from '../../../src/platform/log/index.js';
import { createRescindAdmin } from '../../../src/sandbox/index.js';
import { testBrokers, testLog } from '../../support/services.js';
import {
  blockOf,
  createWorld,
  KEY,
  lifted,
  numbers,
  tenantRecord,
  TENANT,
  until,
  type World,
} from './topics-fixture.js';

const TEST_TIMEOUT_MS = 120_000;

let topicKey: Buffer;
let world: World;
/** Another database of the same deployment: an old backup, or an empty one. */
let backup: World;
beforeEach(async () => {
  topicKey = randomBytes(32);
  world = await createWorld({ key: topicKey });
  backup = await createWorld({ prefix: world.prefix, key: topicKey });
});
afterEach(async () => {
  await world.end();
  await backup.end();
});

/** Copies the first records of the one log into the other database, as a backup holds them. */
async function backUp(upTo: number): Promise<void> {
  const columns = 'seq, tenant, kind, subject, version, at, body';
  const { rows } = await world.pool.query<{ row: object }>(
    `SELECT to_jsonb(l) AS row FROM control_log l WHERE seq <= $1`,
    [upTo],
  );
  await backup.pool.query(
    `INSERT INTO control_log SELECT ${columns} FROM jsonb_populate_recordset(NULL::control_log, $1)`,
    [JSON.stringify(rows.map(({ row }) => row))],
  );
  await backup.pool.query('UPDATE control_head SET seq = $1', [upTo]);
}

async function publish(...records: readonly NewControlRecord[]): Promise<void> {
  await world.append(...records);
  const feeds = await world.feed();
  await world.published();
  await feeds.stop();
}

const restore = (into: World = backup, keys: TopicKeys = into.keys) =>
  restoreControlLog({ kafka: into.kafka, pool: into.pool, keys, prefix: world.prefix });
/** Keys of a deployment that was never given one. */
const noKeys: TopicKeys = {
  find: async () => undefined,
  ensure: () => Promise.reject(new Error('nothing may be made')),
};
const fenceOf = async (one: World, keys: TopicKeys = one.keys): Promise<RescindError | undefined> => {
  const fence = createControlFence({ kafka: one.kafka, pool: one.pool, keys, prefix: world.prefix, log: testLog() });
  try {
    return await fence.check();
  } finally {
    await fence.stop();
  }
};
/** Writes to the topic of control records, as whoever may do so. */
async function write(...messages: readonly { readonly key: string; readonly value: string | Buffer }[]): Promise<void> {
  const topic = controlTopic(world.prefix);
  const admin = world.client.admin();
  await admin.connect();
  await ensureTopics(admin, [{ topic, partitions: 1 }]);
  await admin.disconnect();
  const producer = world.client.producer();
  await producer.connect();
  await producer.send({ topic, messages: messages.map((message) => ({ ...message, partition: 0 })) });
  await producer.disconnect();
}

const parts = (dumped: readonly StatePart[]): unknown =>
  dumped.map(({ kind, tenant, bytes }) => ({ kind, tenant, bytes: bytes.toString('base64') }));
const commands = async (one: World): Promise<unknown> =>
  (
    await one.pool.query(
      `SELECT encode(key, 'hex') AS key, encode(hash, 'hex') AS hash, first_seq, last_seq, date_trunc('milliseconds', kept_until) AS kept_until FROM control_command ORDER BY key`,
    )
  ).rows;

/** Some of everything that a log can hold. */
function history(): NewControlRecord[] {
  const at = Date.now() - 60_000;
  const blocks = numbers(40).map((nth) =>
    blockOf(`u-${nth}`, nth % 3 === 0 ? { origin: { source: 's-1', event: `e-${nth}`, at: at + nth } } : {}),
  );
  const { shape, key } = blocks[2]!.body;
  return [
    tenantRecord(),
    {
      kind: 'caller.changed',
      tenant: TENANT,
      subject: 'app',
      body: {
        id: 'app',
        roles: { audit: {} },
        secrets: [{ id: 's', sha256: KEY.toString('base64url'), created_at: 1 }],
        disabled: false,
      },
    },
    ...blocks,
    {
      kind: 'subject.enabled',
      tenant: TENANT,
      subject: randomUUID(),
      body: { shape, key, origin: { source: 's-1', event: 'e', at: at + 50_000 } },
    },
    blockOf('u-1', { effect: 'revoke', after_lift_of: blocks[0]!.subject }),
    lifted(blocks[0]!.subject),
  ];
}

describe('restoring the control log from its topic', () => {
  it('gives an empty database the same state, and the same commands that were applied once', async () => {
    await world.controlLog.append({
      records: [tenantRecord('00000000-0000-4000-8000-000000000009', 'first')],
      once: { key: ['event', 'e-1'], content: 'x', keepSeconds: 3_600 },
    });
    await publish(...history());
    expect(await restore()).toEqual({
      compared: 0,
      restored: 46,
      repeated: 0,
      foreign: 0,
      head: '46',
      published: '46',
    });
    const [before, after] = [await world.follow(), await backup.follow()];
    expect(parts(after.state.dump())).toEqual(parts(before.state.dump()));
    expect(await commands(backup)).toEqual(await commands(world));
    const again = { records: [tenantRecord()], once: { key: ['event', 'e-1'], content: 'x' } };
    expect(await backup.controlLog.append(again)).toEqual({ firstSeq: 1n, lastSeq: 1n, replayed: true, same: true });
    expect(await backup.append(blockOf('next'))).toBe(47n);
  });

  it('brings an old backup up to the topic’s end, and does nothing more when it is run again', async () => {
    await publish(...history());
    await backUp(17);
    expect(await restore()).toEqual({
      compared: 17,
      restored: 28,
      repeated: 0,
      foreign: 0,
      head: '45',
      published: '45',
    });
    expect(await restore()).toEqual({
      compared: 45,
      restored: 0,
      repeated: 0,
      foreign: 0,
      head: '45',
      published: '45',
    });
    expect(parts((await backup.follow()).state.dump())).toEqual(parts((await world.follow()).state.dump()));
  });

  it('does not change a database that is ahead of a lagging publisher', async () => {
    await publish(tenantRecord(), blockOf('alice'));
    await world.append(blockOf('bob'));
    expect(await restore(world)).toEqual({
      compared: 2,
      restored: 0,
      repeated: 0,
      foreign: 0,
      head: '3',
      published: '2',
    });
  });

  it('refuses a database with other records, however few, and changes nothing in it', async () => {
    await publish(...history());
    await backUp(17);
    await backup.pool.query(`UPDATE control_log SET at = at + interval '1 ms' WHERE seq = 3`);
    await expect(restore()).rejects.toMatchObject({
      code: 'control-log-behind',
      detail: expect.stringContaining('record 3 '),
    });
    expect((await backup.pool.query('SELECT max(seq) AS seq FROM control_log')).rows).toEqual([{ seq: '17' }]);
  });

  it('refuses a database while somebody writes to it', async () => {
    await publish(...history());
    const read = await createLogCopies({ pool: world.pool }).readAfter(0n as Seq, 2);
    await backup.append(tenantRecord());
    await expect(createLogCopies({ pool: backup.pool }).restore(0n as Seq, read)).rejects.toMatchObject({
      code: 'edit-conflict',
    });
  });

  describe('from a topic that is not complete', () => {
    const published = (seq: number, over: object = {}): ControlMessage =>
      world.seal.seal({
        record: {
          ...tenantRecord(),
          seq: BigInt(seq) as Seq,
          version: 1,
          at: 1_700_000_000_000 + seq,
          ...over,
        } as ControlRecord,
        commands: [],
      });

    it('drops repetitions', async () => {
      await write(published(1), published(2), published(1), published(2), published(3));
      expect(await restore()).toMatchObject({ restored: 3, repeated: 2, head: '3' });
    });

    it.each([
      ['a gap', () => [published(1), published(3)], 'lacks the records between 1 and 3'],
      ['a beginning that was deleted', () => [published(2), published(3)], 'begins with record 2'],
      ['two histories', () => [published(1), published(2), published(1, { at: 1 })], 'two records with seq 1'],
      ['another format', () => [published(1, { format: 2 })], 'is of format 2'],
    ])('refuses %s', async (_what, values, detail) => {
      await write(...values());
      await expect(restore()).rejects.toMatchObject({
        code: 'control-topic-corrupt',
        detail: expect.stringContaining(detail),
      });
    });
  });
});

describe('a topic that somebody else writes to', () => {
  /** A stranger who may write to the topic may also read it: repeated bytes, forged records, and records of another deployment. */
  const mallory = createControlSeal(Buffer.alloc(32, 9));
  const forged = (seq: number): ControlMessage =>
    mallory.seal({
      record: {
        kind: 'caller.changed',
        tenant: TENANT,
        subject: 'mallory',
        seq: BigInt(seq) as Seq,
        version: 1,
        at: 1_700_000_000_000,
        body: { id: 'mallory', roles: { admin: {} }, secrets: [], disabled: false },
      },
      commands: [],
    });
  const plain = (seq: number): { key: string; value: string } => ({
    key: String(seq),
    value: JSON.stringify({ format: 1, seq: String(seq), ...tenantRecord(), version: 1, at: 1, commands: [] }),
  });

  it('locks nobody out of the right database, and publishing goes on', async () => {
    await publish(...history());
    await write(forged(46), plain(47), { key: '46', value: '{' });
    expect(await fenceOf(world)).toBeUndefined();
    await world.append(blockOf('later'));
    const feeds = await world.feed();
    await until('it is published', async () => (await world.control()).at(-1)?.key === '46');
    expect(feeds.notReadyReason()).toBeUndefined();
  });

  it('restores what was published, and nothing that was forged', async () => {
    await publish(...history());
    await write(forged(46), forged(1), plain(46));
    expect(await restore()).toMatchObject({ restored: 45, foreign: 3, head: '45' });
    const restored = (await backup.pool.query<{ subject: string }>('SELECT subject FROM control_log')).rows;
    expect(restored.map(({ subject }) => subject)).not.toContain('mallory');
    expect(restored).toHaveLength(45);
  });

  it('does not admit an old backup by repeating the records that were published when it was made', async () => {
    await publish(...history());
    await backUp(17);
    const then = (await world.control()).find(({ key }) => key === '17')!;
    await write({ key: then.key!, value: then.value! });
    expect(await fenceOf(backup)).toMatchObject({ code: 'control-log-behind' });
    // With the cursor that the backup had, too: the topic is read from there, not from its last record.
    await backup.pool.query('INSERT INTO topic_cursor (cluster, topic, seq, last_offset) VALUES ($1, $2, 17, $3)', [
      'any',
      controlTopic(world.prefix),
      then.offset,
    ]);
    expect(await fenceOf(backup)).toMatchObject({ code: 'control-log-behind' });
  });

  it('accepts no record under the number of another', async () => {
    await publish(tenantRecord(), blockOf('alice'));
    const [, second] = await world.control();
    await write({ key: '3', value: second!.value! });
    expect(await restore()).toMatchObject({ restored: 2, foreign: 1 });
  });

  it.each([
    ['another key', (): TopicKeys => ({ ...noKeys, find: async () => Buffer.alloc(32, 8) }), 'none of them opens'],
    ['no key', () => noKeys, 'has no key to open them'],
  ])('admits no database that has %s, and restores nothing', async (_what, keys, told) => {
    await publish(tenantRecord(), blockOf('alice'));
    const refused = { code: 'control-topic-sealed', detail: expect.stringContaining(told) };
    expect(await fenceOf(backup, keys())).toMatchObject(refused);
    await expect(restore(backup, keys())).rejects.toMatchObject(refused);
    expect((await backup.pool.query('SELECT FROM control_log')).rowCount).toBe(0);
  });
});

describe('the key of the topic', () => {
  const keysOf = (one: World, home: string, configured?: Buffer): TopicKeys =>
    createTopicKeys({ pool: one.pool, home, configured: configured && new Secret(configured.toString('base64url')) });

  it('is made once, shared by nodes, readable by its owner alone, and found for an empty database of the same home', async () => {
    const [one, two] = [join(world.home, 'one'), join(world.home, 'two')];
    expect(await keysOf(world, one).find()).toBeUndefined();
    const made = await Promise.all([keysOf(world, one).ensure(), keysOf(world, two).ensure()]);
    expect(made[0]).toEqual(made[1]);
    for (const home of [one, two]) {
      const path = join(home, TOPIC_KEY_FILE);
      expect((await readFile(path, 'utf8')).trim()).toBe(made[0].toString('base64url'));
      expect((await stat(path)).mode & 0o777).toBe(0o600);
    }
    expect(await keysOf(backup, one).find()).toEqual(made[0]);
  });

  it('is refused if the setting, the database and the file contradict one another', async () => {
    const home = join(world.home, 'one');
    await keysOf(world, home, topicKey).ensure();
    await expect(keysOf(world, home, Buffer.alloc(32, 8)).find()).rejects.toMatchObject({
      code: 'config-invalid',
      detail: expect.stringContaining('CONTROL_TOPIC_KEY'),
    });
    await expect(keysOf(backup, home, Buffer.alloc(32, 8)).ensure()).rejects.toMatchObject({
      code: 'config-invalid',
      detail: expect.stringContaining('another deployment'),
    });
  });
});

describe('the fence at start', () => {
  type Case = readonly [what: string, given: () => Promise<unknown>, whose: () => World, told: string | undefined];
  const cases: readonly Case[] = [
    ['lets in a deployment that has never published', () => world.append(tenantRecord()), () => world, undefined],
    [
      'lets in a database that is ahead of a publisher that lags',
      () => publish(tenantRecord()).then(() => world.append(blockOf('alice'))),
      () => world,
      undefined,
    ],
    [
      'keeps out an old backup',
      () => publish(...history()).then(() => backUp(17)),
      () => backup,
      'an old backup was restored',
    ],
    ['keeps out an empty database', () => publish(...history()), () => backup, 'an old backup was restored'],
    [
      'keeps out another history of the same length',
      () => publish(tenantRecord()).then(() => backup.append(tenantRecord())),
      () => backup,
      'is another than in',
    ],
    [
      'keeps out a longer one',
      () => publish(tenantRecord()).then(() => backup.append(tenantRecord(), blockOf('alice'))),
      () => backup,
      'is another than in',
    ],
    [
      'lets in what was restored',
      () =>
        publish(...history())
          .then(() => backUp(17))
          .then(() => restore()),
      () => backup,
      undefined,
    ],
  ];
  it.each(cases)('%s', async (_what, given, whose, told) => {
    await given();
    const kept = await fenceOf(whose());
    if (told === undefined) expect(kept).toBeUndefined();
    else expect(kept).toMatchObject({ code: 'control-log-behind', detail: expect.stringContaining(told) });
  });

  it('lets no process start if the topic cannot be read', async () => {
    const fence = createControlFence({
      kafka: createKafka({ brokers: ['127.0.0.1:1'], clientId: 'spec', log: testLog(), retry: { retries: 0 } }),
      pool: world.pool,
      keys: world.keys,
      prefix: world.prefix,
      log: testLog(),
    });
    expect((await fence.check())?.code).toBe('kafka-unavailable');
    await fence.stop();
  });

  it('keeps a publisher from adding another history to the topic, and tells the operator', async () => {
    await publish(tenantRecord(), blockOf('alice'));
    await backup.append(tenantRecord(), blockOf('bob'), blockOf('carol'));
    const feeds = await backup.feed();
    await until('it is refused', () => feeds.notReadyReason() !== undefined);
    expect(feeds.notReadyReason()).toContain('record 2 of the database is another');
    expect(await feeds.metrics.text()).toContain('rescind_topic_feed_refused 1');
    expect(await world.controlSeqs()).toEqual([1, 2]);
  });
});

describe('rescind control restore', () => {
  it.each([
    ['does not say from where', ['control', 'restore'], { KAFKA_BROKERS: 'none' }, "required option '--from-topic'"],
    ['has no Kafka', ['control', 'restore', '--from-topic'], { KAFKA_BROKERS: 'none' }, 'KAFKA_BROKERS is none'],
  ])('reports wrong usage if it %s', async (_what, words, env, told) => {
    const written: string[] = [];
    const sink = new Writable({ write: (chunk, _encoding, done) => (written.push(String(chunk)), done()) });
    expect(await run(words, { env, out: sink, err: sink, stdin: Readable.from(['']) })).toBe(2);
    expect(written.join('')).toContain(told);
  });
});

describe('a service whose database was put back', () => {
  it(
    'says so, answers nothing, and starts by itself once the database is restored',
    async () => {
      const homes = await Promise.all([1, 2].map(() => mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`))));
      const env = (database: World, home: string): Record<string, string> => ({
        RESCIND_HOME: home,
        PORT: '0',
        DATABASE_URL: database.url,
        KAFKA_BROKERS: testBrokers().join(','),
        TOPIC_PREFIX: world.prefix,
        CONTROL_TOPIC_KEY: topicKey.toString('base64url'),
        LOG_LEVEL: 'error',
      });
      const first = await startRescind(readConfig(env(world, homes[0]!)), { log: testLog() });
      const admin = createRescindAdmin(first.url, first.adminKey!);
      await admin.post('/v1/revocations', {
        selector: { user: { iss: 'https://idp.example', sub: 'mallory' } },
        reason: 'dismissed',
      });
      await world.published();
      await first.stop();
      await backUp(1);

      const lines: { url?: string; code?: string; detail?: string }[] = [];
      const log = createLog({
        level: 'error',
        destination: { write: (line) => void lines.push(JSON.parse(line) as object) },
      });
      const starting = startRescind(readConfig(env(backup, homes[1]!)), { log });
      await until('it says why', () => lines.some(({ code }) => code === 'control-log-behind'));
      const said = lines.find(({ code }) => code === 'control-log-behind')!;
      expect(said.detail).toContain('rescind control restore --from-topic');
      const ask = async (path: string, init?: RequestInit): Promise<[number, unknown, string | null]> => {
        const response = await fetch(`${said.url}${path}`, init);
        return [response.status, await response.json(), response.headers.get('retry-after')];
      };
      expect(await ask('/health/live')).toEqual([200, { live: true }, null]);
      expect(await ask('/health/ready')).toEqual([
        503,
        {
          role: 'serve',
          ready: false,
          age_ms: 0,
          checks: [{ name: 'control-fence', ok: false, ms: expect.any(Number), code: 'control-log-behind' }],
        },
        null,
      ]);
      const token = new URLSearchParams({ token: 'x' });
      for (const path of ['/introspect', '/events', '/revoke', '/v1/revocations']) {
        expect(await ask(path, { method: 'POST', body: token })).toEqual([
          503,
          expect.objectContaining({ code: 'control-log-behind' }),
          '1',
        ]);
      }
      expect((await backup.pool.query('SELECT seq FROM control_head')).rows).toEqual([{ seq: '1' }]);

      const written: string[] = [];
      const sink = new Writable({ write: (chunk, _encoding, done) => (written.push(String(chunk)), done()) });
      const code = await run(['control', 'restore', '--from-topic', '--json'], {
        env: env(backup, homes[1]!),
        out: sink,
        err: sink,
        stdin: Readable.from(['']),
      });
      expect([code, JSON.parse(written.join(''))]).toEqual([0, expect.objectContaining({ compared: 1, repeated: 0 })]);

      const second = await starting;
      const revocations = await createRescindAdmin(second.url, first.adminKey!).get('/v1/revocations');
      expect(JSON.stringify(revocations)).toContain('mallory');
      await second.stop();
      for (const home of homes) await rm(home, { recursive: true });
    },
    TEST_TIMEOUT_MS,
  );
});
