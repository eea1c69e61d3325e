import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Kafka as Client } from 'kafkajs';
import {
  createControlFollower,
  createControlLog,
  type ControlFollower,
  type ControlLog,
  type NewControlRecord,
  type RecordCopy,
  type RuleRecord,
  type Seq,
} from '../../../src/control/index.js';
import {
  controlTopic,
  createTopicFeeds,
  createTopicKeys,
  revocationsTopic,
  type TopicFeeds,
  type TopicKeys,
} from '../../../src/feeds/index.js';
import { createControlSeal, type ControlSeal } from '../../../src/feeds/topics/control-message.js';
import { MIGRATIONS } from '../../../src/migrations.js';
import { Secret } from '../../../src/platform/config/index.js';
import { createClient } from '../../../src/platform/kafka/client.kafka.js';
import { createKafka, type Kafka, type TopicReader, type TopicRecord } from '../../../src/platform/kafka/index.js';
import { createMetrics, type Metrics } from '../../../src/platform/observe/index.js';
import { runMigrations, type Pool } from '../../../src/platform/postgres/index.js';
import { selectorKey, type Selector } from '../../../src/rules/index.js';
import { createMigratedDatabase, testBrokers, testLog, uniqueName } from '../../support/services.js';

export const TENANT = '00000000-0000-4000-8000-000000000001';
export const KEY = Buffer.alloc(32, 3);
const IDP = 'https://idp.example';

export const tenantRecord = (id = TENANT, name = 'acme'): NewControlRecord => ({
  kind: 'tenant.changed',
  tenant: id,
  subject: id,
  body: { id, name, key: KEY.toString('base64url') },
});

type RuleOf = Extract<NewControlRecord, { kind: 'rule.ordered' }>;

export function rule(selector: Selector, over: Partial<RuleRecord> = {}): RuleOf {
  const { shape, key } = selectorKey(KEY, selector);
  const id = randomUUID();
  const body = {
    id,
    effect: 'block',
    selector,
    shape,
    key: Buffer.from(key, 'latin1').toString('base64url'),
    reauthenticate: false,
    reason: 'a secret reason',
    author: { caller: 'the-analyst' },
    ...over,
  } as const;
  return { kind: 'rule.ordered', tenant: TENANT, subject: id, body };
}
export const blockOf = (sub: string, over: Partial<RuleRecord> = {}): RuleOf => rule({ user: { iss: IDP, sub } }, over);

export const lifted = (id: string): NewControlRecord => ({
  kind: 'rule.lifted',
  tenant: TENANT,
  subject: id,
  body: { rule: id, resume: false, reason: 'over', author: { caller: 'the-analyst' } },
});

/** A database with a control log and names of topics of its own. */
export interface World {
  readonly url: string;
  readonly pool: Pool;
  readonly kafka: Kafka;
  /** The same cluster, for what Rescind does not do. */
  readonly client: Client;
  readonly prefix: string;
  readonly controlLog: ControlLog;
  readonly reader: TopicReader;
  /** Keys of the deployment whose prefix this is. */
  readonly keys: TopicKeys;
  readonly seal: ControlSeal;
  readonly home: string;
  append(...records: readonly NewControlRecord[]): Promise<Seq>;
  /** Follows the log, and ends with the world. */
  follow(): Promise<ControlFollower>;
  /** Publishes, and ends with the world. */
  feed(options?: {
    readonly follower?: ControlFollower;
    readonly sweepMs?: number;
    readonly anewAfterMs?: number;
    readonly anewCheckMs?: number;
    readonly now?: () => number;
  }): Promise<TopicFeeds & { readonly metrics: Metrics }>;
  control(): Promise<readonly TopicRecord[]>;
  /** The topic's control records, opened. */
  controlCopies(): Promise<readonly RecordCopy[]>;
  controlSeqs(): Promise<readonly number[]>;
  revocations(tenant?: string): Promise<readonly TopicRecord[]>;
  /** Resolves when the topic of control records ends with the database's last one. */
  published(): Promise<void>;
  onEnd(step: () => Promise<unknown> | unknown): void;
  end(): Promise<void>;
}

interface WorldOptions {
  readonly prefix?: string;
  readonly brokers?: readonly string[];
  /** Seals the topic of control records. */
  readonly key?: Buffer;
}

export async function createWorld({
  prefix = uniqueName('t'),
  brokers = testBrokers(),
  key: topicKey = randomBytes(32),
}: WorldOptions = {}): Promise<World> {
  const database = await createMigratedDatabase();
  await runMigrations({ url: database.url, migrations: MIGRATIONS });
  const { pool, url } = database;
  const cluster = { brokers, clientId: 'spec', log: testLog(), retry: { initialRetryTime: 50, retries: 5 } };
  const kafka = createKafka(cluster);
  const controlLog = createControlLog({ pool });
  const reader = kafka.topicReader();
  const home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
  const keys = createTopicKeys({ pool, home, configured: new Secret(topicKey.toString('base64url')) });
  const seal = createControlSeal(topicKey);
  const steps: (() => Promise<unknown> | unknown)[] = [];
  const all = async (topic: string): Promise<TopicRecord[]> => {
    const found: TopicRecord[] = [];
    for await (const records of reader.read(topic)) found.push(...records);
    return found;
  };
  const world: World = {
    url,
    pool,
    kafka,
    client: createClient(cluster),
    prefix,
    controlLog,
    reader,
    keys,
    seal,
    home,
    append: async (...records) => (await controlLog.append({ records })).lastSeq,
    async follow() {
      const follower = createControlFollower({ url, controlLog, log: testLog(), serves: false });
      steps.push(() => follower.stop());
      await follower.start();
      return follower;
    },
    async feed({ follower, ...options } = {}) {
      const metrics = createMetrics();
      const feeds = createTopicFeeds({
        kafka,
        key: await keys.ensure(),
        pool,
        controlLog,
        follower: follower ?? (await world.follow()),
        log: testLog(),
        metrics,
        prefix,
        ...options,
      });
      steps.push(() => feeds.stop());
      feeds.start();
      return { ...feeds, metrics };
    },
    control: () => all(controlTopic(prefix)),
    controlCopies: async () => (await world.control()).map((record) => seal.open(record)!),
    controlSeqs: async () => (await world.control()).map(({ key }) => Number(key)),
    revocations: (tenant = 'acme') => all(revocationsTopic(prefix, tenant)),
    async published() {
      const { rows } = await pool.query<{ seq: string }>('SELECT seq FROM control_head');
      await until('everything is published', async () => (await world.control()).at(-1)?.key === rows[0]!.seq);
    },
    onEnd: (step) => void steps.push(step),
    async end() {
      for (const step of steps.splice(0).toReversed()) await step();
      await reader.stop();
      await rm(home, { recursive: true });
      await database.drop();
    },
  };
  return world;
}

export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 40_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`did not come about: ${what}`);
    await delay(20);
  }
}

export const numbers = (to: number, from = 1): number[] =>
  Array.from({ length: to - from + 1 }, (_, nth) => from + nth);

/** The state of a resource app that reads a tenant's topic from its start: the last value of each key. */
export function held(records: readonly TopicRecord[]): Map<string, Readonly<Record<string, unknown>>> {
  const rules = new Map<string, Readonly<Record<string, unknown>>>();
  for (const { key, value } of records) {
    if (value === null) rules.delete(key!);
    else rules.set(key!, JSON.parse(value.toString()) as Readonly<Record<string, unknown>>);
  }
  return rules;
}

/** The records without repetitions: a publisher that began again tells some of them twice. */
export function firstTold(records: readonly TopicRecord[]): TopicRecord[] {
  let highest = 0;
  return records.filter((record) => (seqOf(record) > highest ? ((highest = seqOf(record)), true) : false));
}

export const seqOf = ({ headers }: TopicRecord): number => Number(String(headers['rescind-seq']));
