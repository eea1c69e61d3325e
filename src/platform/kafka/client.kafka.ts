import { Kafka as Client, logLevel, type Admin, type KafkaConfig, type LogEntry } from 'kafkajs';
import { type KafkaSecurity, readPem } from '../config/index.js';
import type { Log } from '../log/index.js';
import { createGroupMember } from './group-member.kafka.js';
import type { Kafka, KafkaAdmin, KafkaProducer } from './kafka.js';
import { createLogBoundsReader } from './log-bounds.kafka.js';
import { installCodecs } from './record-sets/codecs.kafka.js';
import { installRecordSets } from './record-sets/fetch-response.kafka.js';
import { gatherHeadersInOnePass } from './internals/record-headers.kafka.js';
import { installRequestQueue } from './internals/request-queue.kafka.js';
import { createTopicReader } from './topic-reader.kafka.js';
import { createTopicWriter } from './topic-writer.kafka.js';
import { ensureTopics } from './topics.kafka.js';

/** How long a broker may take to accept a connection. */
const KAFKA_CONNECT_TIMEOUT_MS = 5_000;
/** How long a request may wait for its answer before kafkajs tries again. */
const KAFKA_REQUEST_TIMEOUT_MS = 30_000;

// kafkajs prints a warning about its partitioner to the console for every producer and bypasses any logger.
process.env['KAFKAJS_NO_PARTITIONER_WARNING'] ??= '1';

export interface KafkaClientOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly log: Log;
  /** TLS and SASL. Plaintext if unset. */
  readonly security?: KafkaSecurity;
  /** How often, and after how many milliseconds first, a request is repeated. */
  readonly retry?: { readonly retries?: number; readonly initialRetryTime?: number };
}

export function createKafka(options: KafkaClientOptions): Kafka {
  const client = createClient(options);
  return {
    async isUp() {
      const admin = client.admin();
      try {
        await admin.connect();
        const { brokers, controller } = await admin.describeCluster();
        return brokers.length > 0 && controller !== null;
      } finally {
        await admin.disconnect().catch(() => undefined);
      }
    },
    async ensureTopics(topics) {
      const admin = await connectAdmin(client);
      await admin.ensureTopics(topics).finally(() => admin.close().catch(() => undefined));
    },
    connectAdmin: () => connectAdmin(client),
    logBounds: () => createLogBoundsReader(client),
    groupMember: (of) => createGroupMember(client, of),
    topicReader: () => createTopicReader(client),
    topicWriter: (transactionalId) => createTopicWriter(client, transactionalId),
    connectProducer: () => connectProducer(client),
  };
}

async function connectAdmin(client: Client): Promise<KafkaAdmin> {
  const admin = client.admin();
  await connect(admin);
  return {
    clusterId: async () => (await admin.describeCluster()).clusterId,
    topics: async () => new Set(await admin.listTopics()),
    ensureTopics: (topics) => ensureTopics(admin, topics),
    close: () => admin.disconnect(),
  };
}

async function connectProducer(client: Client): Promise<KafkaProducer> {
  // A producer that created a topic would give it other settings.
  const producer = client.producer({ allowAutoTopicCreation: false });
  await connect(producer);
  return {
    send: ({ messages, ...batch }) => producer.send({ ...batch, messages: [...messages] }),
    close: () => producer.disconnect(),
  };
}

async function connect(one: Pick<Admin, 'connect' | 'disconnect'>): Promise<void> {
  try {
    await one.connect();
  } catch (error) {
    await one.disconnect().catch(() => undefined);
    throw error;
  }
}

/**
 * Creates a kafkajs client that logs through Rescind's log. It reads everything that any producer wrote (gzip, snappy, lz4, zstd);
 * `unreadableOf` names the records that it could not read. It writes gzip or uncompressed.
 */
export function createClient(options: KafkaClientOptions): Client {
  installCodecs();
  installRecordSets();
  gatherHeadersInOnePass();
  installRequestQueue();
  return new Client({
    brokers: [...options.brokers],
    clientId: options.clientId,
    connectionTimeout: KAFKA_CONNECT_TIMEOUT_MS,
    requestTimeout: KAFKA_REQUEST_TIMEOUT_MS,
    retry: options.retry,
    ssl: tlsOf(options.security),
    sasl: saslOf(options.security),
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => write(options.log, entry),
  });
}

function tlsOf(security: KafkaSecurity | undefined): KafkaConfig['ssl'] {
  if (security?.tls === undefined) return undefined;
  const { caFile, certFile, keyFile } = security.tls;
  return {
    // RFC 9325 section 3.1.1. The broker's identity is always checked.
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(caFile === undefined ? {} : { ca: [readPem('KAFKA_TLS_CA', caFile)] }),
    ...(certFile === undefined ? {} : { cert: readPem('KAFKA_TLS_CERT', certFile) }),
    ...(keyFile === undefined ? {} : { key: readPem('KAFKA_TLS_KEY', keyFile) }),
  };
}

function saslOf(security: KafkaSecurity | undefined): KafkaConfig['sasl'] {
  if (security?.sasl === undefined) return undefined;
  const { mechanism, username, password } = security.sasl;
  return { mechanism, username, password: password.reveal() } as KafkaConfig['sasl'];
}

function write(log: Log, { level, namespace, log: entry }: LogEntry): void {
  const { message, timestamp: _timestamp, logger: _logger, ...members } = entry;
  const bound = { kafkajs: namespace, ...members };
  // A broker's error response is thrown to the caller or retried, and a fresh coordinator gives some, so it needs no line of its own.
  // The same holds for an attempt that a producer repeats, as every transaction that closely follows another does.
  if ((namespace === 'Connection' && 'correlationId' in entry) || (namespace === 'Producer' && 'retryCount' in entry))
    log.debug(bound, message);
  else if (level === logLevel.ERROR) log.error(bound, message);
  else if (level === logLevel.WARN) log.warn(bound, message);
  else log.debug(bound, message);
}
