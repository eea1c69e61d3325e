import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel, type Admin, type CompressionTypes, type Message, type Producer } from 'kafkajs';
import {
  createControlFollower,
  createControlLog,
  type ControlFollower,
  type Source,
} from '../../../src/control/index.js';
import type { CloudEvent, EventDataOf, SourceEventName } from '../../../src/contracts/index.js';
import { buildEvent, toKafkaMessage, type KafkaMode } from '../../../src/emit/index.js';
import {
  createAppender,
  createKafkaConsumer,
  createOffsetStore,
  createRuleQuota,
  type Appender,
  type KafkaConsumer,
  type RuleQuotaBounds,
} from '../../../src/ingest/index.js';
import { createKafka } from '../../../src/platform/kafka/index.js';
import { ensureTopics } from '../../../src/platform/kafka/topics.kafka.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { createPool } from '../../../src/platform/postgres/index.js';
import { ADMIN_CALLER } from '../../../src/registry/index.js';
import { testBrokers, testLog, uniqueName } from '../../support/services.js';
import { API, createStage, RAS, token, type Stage } from '../../support/stage.js';
import { testSignatures } from '../../support/signatures.js';

const TYPES: readonly SourceEventName[] = [
  'token.issued',
  'token.revoked',
  'access.allowed',
  'access.denied',
  'access.summary',
];

/** The parts of one process that ingests from Kafka: a follower, an appender, a consumer, connections of its own. */
export interface IngestProcess {
  readonly follower: ControlFollower;
  readonly appender: Appender;
  readonly consumer: KafkaConsumer;
  /** Events that this process has seen, by outcome. */
  seen(outcome: 'sequenced' | 'duplicate' | 'rejected'): Promise<number>;
  /** One of its metrics, by name and labels as they are exposed. */
  measured(series: string): Promise<number | undefined>;
  stop(): Promise<void>;
}

export interface KafkaStage extends Stage {
  readonly admin: Admin;
  /** A source with a topic of its own; `partitions: 0` registers it alone, for Rescind to make the topic. */
  register(options?: { partitions?: number; topic?: string }): Promise<Source>;
  send(source: Source | string, messages: readonly (CloudEvent | Message)[], options?: SendOptions): Promise<void>;
  startProcess(ruleBounds?: RuleQuotaBounds): Promise<IngestProcess>;
  rows<T extends object>(sql: string, parameters?: readonly unknown[]): Promise<T[]>;
  /** How many entries came from the source. */
  stored(source: Source): Promise<number>;
}

export interface SendOptions {
  readonly mode?: KafkaMode;
  readonly partition?: number;
  readonly compression?: CompressionTypes;
}

export async function createKafkaStage(): Promise<KafkaStage> {
  const stage = await createStage();
  const actor = { id: ADMIN_CALLER, tenant: stage.tenant };
  // Their topics would be shared with every other spec of the run.
  for (const name of ['idp', 'chat']) await stage.registry.disableSource(actor, name);
  const kafka = new Kafka({ clientId: 'spec', brokers: testBrokers(), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const producer: Producer = kafka.producer({ allowAutoTopicCreation: false });
  await Promise.all([admin.connect(), producer.connect()]);
  const groupId = uniqueName('group');
  const processes = new Set<IngestProcess>();
  const rows = async <T extends object>(sql: string, parameters: readonly unknown[] = []): Promise<T[]> =>
    (await stage.database.pool.query<T>(sql, [...parameters])).rows;

  return {
    ...stage,
    admin,
    rows,
    async register({ partitions = 1, topic } = {}) {
      const name = uniqueName('s');
      const ownTopic = topic ?? `rescind.events.${name}`;
      if (partitions > 0) await ensureTopics(admin, [{ topic: ownTopic, partitions }]);
      await stage.registry.createSource(actor, {
        name,
        uri: `${RAS}/${name}`,
        topic: ownTopic,
        types: TYPES,
        issuers: [RAS],
        resources: [API],
      });
      return stage.follower.state.sourceByName(name)!;
    },
    async send(to, messages, { mode = 'binary', partition, compression } = {}) {
      const topic = typeof to === 'string' ? to : to.topic;
      const written = messages.map((one): Message => ('specversion' in one ? toKafkaMessage(one, { mode }) : one));
      await producer.send({
        topic,
        messages: written.map((one) => ({ ...one, partition })),
        ...(compression === undefined ? {} : { compression }),
      });
    },
    async startProcess(ruleBounds) {
      const process = await startProcess(stage.database.url, groupId, ruleBounds);
      processes.add(process);
      return {
        ...process,
        async stop() {
          processes.delete(process);
          await process.stop();
        },
      };
    },
    async stored(source) {
      return Number(
        (await rows<{ n: string }>('SELECT count(*) AS n FROM entry WHERE source = $1', [source.id]))[0]!.n,
      );
    },
    async stop() {
      for (const process of processes) await process.stop();
      await Promise.all([producer.disconnect(), admin.disconnect()]);
      await stage.stop();
    },
  };
}

async function startProcess(url: string, groupId: string, bounds?: RuleQuotaBounds): Promise<IngestProcess> {
  const log = testLog();
  const metrics = createMetrics();
  const pool = createPool({ url, max: 4, applicationName: 'spec-ingest' });
  const controlLog = createControlLog({ pool });
  const follower = createControlFollower({ url, controlLog, log, serves: false });
  await follower.start();
  const appender = createAppender({ pool, controlLog, follower, log, metrics });
  await appender.start();
  const kafka = createKafka({ brokers: testBrokers(), clientId: 'spec-ingest', log });
  const consumer = createKafkaConsumer({
    kafka,
    groupId,
    follower,
    appender,
    ruleQuota: createRuleQuota({ state: follower.state, metrics, ...(bounds ? { bounds } : {}) }),
    signatures: testSignatures({ pool, follower, appender, allowedHosts: ['127.0.0.1'] }),
    offsets: createOffsetStore({ pool }),
    log,
    metrics,
  });
  await consumer.start();
  return {
    follower,
    appender,
    consumer,
    async seen(outcome) {
      const lines = (await metrics.text())
        .split('\n')
        .filter((line) => line.startsWith('rescind_ingest_events_total{') && line.includes(`"${outcome}"`));
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
    async measured(series) {
      const line = (await metrics.text()).split('\n').find((one) => one.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.split(' ').at(-1));
    },
    async stop() {
      await consumer.stop();
      await appender.stop();
      await follower.stop();
      await pool.end();
    },
  };
}

/** Events of a source about tokens of their own. */
export const tokens = (source: Source, ...jtis: readonly string[]): CloudEvent[] =>
  jtis.map(
    (jti) =>
      buildEvent('token.issued', { source: source.uri, id: `issued-${jti}`, data: token({ jti }) }) as CloudEvent,
  );

export const saying = <N extends SourceEventName>(
  source: Source,
  name: N,
  data: EventDataOf[N],
  id?: string,
): CloudEvent => buildEvent(name, { source: source.uri, data, ...(id === undefined ? {} : { id }) }) as CloudEvent;

export const numbered = (prefix: string, count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}-${from + n}`);

const POLL_MS = 20;

/** Asks until it holds; jest's own limit ends a wait for what never comes. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await delay(POLL_MS);
}
