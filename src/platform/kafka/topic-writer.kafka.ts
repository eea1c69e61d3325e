import type { Kafka, Message, Producer } from 'kafkajs';
import { ensureTopics, type TopicSettings } from './topics.kafka.js';

/** Bytes of one request. Brokers take batches of 1 MiB by default, and a single record may be larger than this. */
const SEND_BYTES = 512 * 1024;
/** A transaction that a dead publisher left open blocks readers for at most this time. */
const TRANSACTION_TIMEOUT_MS = 20_000;
/** About 5 s in total. Then the publisher starts again from its stored position. */
const RETRY = { initialRetryTime: 50, multiplier: 2, maxRetryTime: 1_000, retries: 8 };

/** kafkajs's `ConfigResourceTypes.TOPIC`. */
const TOPIC_RESOURCE = 2;

export interface TopicMessage {
  readonly key: string;
  readonly value: string | Buffer | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Messages of each topic, in order. */
export type Publication = ReadonlyMap<string, readonly TopicMessage[]>;

/**
 * Writes to partition 0 of topics as the only holder of its transactional id. From `connect` on, brokers refuse the previous holder, even
 * one that was stopped in the middle of a send and continues later.
 */
export interface TopicWriter {
  connect(): Promise<void>;
  /** Creates missing topics. Resolves to the wrong settings of existing ones: `topic: name=value`. */
  ensure(topics: readonly TopicSettings[]): Promise<readonly string[]>;
  /**
   * Resolves when all in-sync replicas have everything, with the offset of each topic's last message. If it rejects, the outcome is unknown
   * and the writer must not be used again.
   */
  publish(publication: Publication): Promise<ReadonlyMap<string, bigint>>;
  /** Has the brokers delete all records before an offset. */
  deleteBefore(topic: string, offset: bigint): Promise<void>;
  /** Rejects if the brokers do not let this client delete records of the topic. */
  requireDeletable(topic: string): Promise<void>;
  clusterId(): Promise<string>;
  close(): Promise<void>;
}

export function createTopicWriter(kafka: Kafka, transactionalId: string): TopicWriter {
  const admin = kafka.admin({ retry: RETRY });
  // Idempotent, and one request at a time: a retry neither duplicates a message nor lets a later one overtake it.
  const producer: Producer = kafka.producer({
    transactionalId,
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    transactionTimeout: TRANSACTION_TIMEOUT_MS,
    retry: RETRY,
  });

  /** kafkajs finds the leader only of a topic whose offsets it has fetched. */
  const lowOf = async (topic: string): Promise<string> => (await admin.fetchTopicOffsets(topic))[0]!.low;
  const deleteUpTo = (topic: string, offset: string): Promise<void> =>
    admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset }] });

  return {
    async connect() {
      await admin.connect();
      await producer.connect();
    },
    async ensure(topics) {
      await ensureTopics(admin, topics);
      const resources = topics.map(({ topic, config = {} }) => ({
        type: TOPIC_RESOURCE,
        name: topic,
        configNames: Object.keys(config),
      }));
      const described = await admin.describeConfigs({ includeSynonyms: false, resources });
      return described.resources.flatMap(({ resourceName, configEntries }) => {
        const wanted = topics.find(({ topic }) => topic === resourceName)?.config ?? {};
        return configEntries
          .filter(({ configName, configValue }) => wanted[configName] !== configValue)
          .map(({ configName, configValue }) => `${resourceName}: ${configName}=${configValue}`);
      });
    },
    async publish(publication) {
      const offsets = new Map<string, bigint>();
      const transaction = await producer.transaction();
      try {
        for (const [topic, messages] of publication) {
          for (const slice of slices(messages)) {
            const [sent] = await transaction.send({ topic, acks: -1, messages: slice });
            offsets.set(topic, BigInt(sent!.baseOffset!) + BigInt(slice.length - 1));
          }
        }
        await transaction.commit();
      } catch (error) {
        if (transaction.isActive()) await transaction.abort().catch(() => undefined);
        throw error;
      }
      return offsets;
    },
    async deleteBefore(topic, offset) {
      await lowOf(topic);
      await deleteUpTo(topic, String(offset));
    },
    requireDeletable: async (topic) => deleteUpTo(topic, await lowOf(topic)),
    clusterId: async () => (await admin.describeCluster()).clusterId,
    async close() {
      await Promise.allSettled([producer.disconnect(), admin.disconnect()]);
    },
  };
}

function* slices(messages: readonly TopicMessage[]): Generator<Message[]> {
  let slice: Message[] = [];
  let bytes = 0;
  for (const { key, value, headers } of messages) {
    const size = Buffer.byteLength(value ?? '');
    if (slice.length > 0 && bytes + size > SEND_BYTES) {
      yield slice;
      slice = [];
      bytes = 0;
    }
    slice.push({ partition: 0, key, value, ...(headers === undefined ? {} : { headers }) });
    bytes += size;
  }
  if (slice.length > 0) yield slice;
}
