import { setTimeout as delay } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import { RescindError } from '../../contracts/index.js';
import type { KafkaRecord } from './record.js';
import { kafkajsInternal } from './internals/internals.kafka.js';
import { unreadableOf } from './record-sets/fetch-response.kafka.js';

/** Bytes of one fetch. A larger record comes alone. */
const FETCH_BYTES = 4 * 1024 * 1024;
/** A broker without further records answers after this time. */
const MAX_WAIT_MS = 100;
const READ_COMMITTED = 1;
const ATTEMPTS = 4;
const RETRY_MS = 250;

export interface TopicRecord {
  readonly offset: bigint;
  readonly key: string | null;
  readonly value: Buffer | null;
  readonly headers: KafkaRecord['headers'];
}

/** Reads partition 0 of a topic, committed records only, without a consumer group. Every failure throws `kafka-unavailable`. */
export interface TopicReader {
  /**
   * Reads up to the end of the committed records; nothing if there is no topic. Begins at the offset `from`, or at the topic's start if
   * `from` is null or outside the topic.
   */
  read(topic: string, from?: bigint | null): AsyncGenerator<readonly TopicRecord[], void, undefined>;
  /** Returns the offset after all committed records. Undefined if there is no topic. */
  end(topic: string): Promise<bigint | undefined>;
  stop(): Promise<void>;
}

interface FetchedPartition {
  readonly messages: readonly unknown[];
  readonly lastStableOffset: string;
}
interface Batch {
  readonly messages: readonly (Omit<TopicRecord, 'offset' | 'key'> & {
    readonly offset: string;
    readonly key: Buffer | null;
  })[];
  readonly rawMessages: readonly {
    readonly batchContext: { readonly firstOffset: string; readonly lastOffsetDelta: number };
  }[];
}
interface Broker {
  fetch(request: object): Promise<{ responses: readonly { partitions: readonly FetchedPartition[] }[] }>;
}
interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, readonly number[]>>;
  findBroker(broker: { nodeId: string }): Promise<Broker>;
  fetchTopicsOffset(
    topics: readonly object[],
  ): Promise<readonly { readonly partitions: readonly { readonly offset: string }[] }[]>;
}

const KafkaBatch =
  kafkajsInternal<new (topic: string, fetchedOffset: string, partition: FetchedPartition) => Batch>(
    'consumer/batch.js',
  );

export function createTopicReader(kafka: Kafka): TopicReader {
  let connected: Promise<Cluster> | undefined;

  async function connect(): Promise<Cluster> {
    const cluster = clusterOf(kafka);
    await cluster.connect();
    return cluster;
  }

  async function attempt<T>(work: (cluster: Cluster) => Promise<T>): Promise<T> {
    for (let nth = 1; ; nth++) {
      try {
        connected ??= connect();
        return await work(await connected);
      } catch (error) {
        await disconnect();
        if (nth === ATTEMPTS)
          throw new RescindError('kafka-unavailable', {
            detail: `a topic could not be read: ${(error as Error).message}`,
            cause: error,
          });
        await delay(RETRY_MS);
      }
    }
  }

  async function disconnect(): Promise<void> {
    const open = connected;
    connected = undefined;
    await open?.then((cluster) => cluster.disconnect()).catch(() => undefined);
  }

  /** Undefined if the cluster has no such topic. A topic that may not be described is an error, because it must not be taken for absent. */
  function bounds(topic: string): Promise<{ low: bigint; high: bigint } | undefined> {
    return attempt(async (cluster) => {
      try {
        await cluster.addTargetTopic(topic);
      } catch (error) {
        if (isUnknownTopic(error)) return undefined;
        throw error;
      }
      const offsetOf = async (fromBeginning: boolean): Promise<bigint> => {
        const [found] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition: 0 }], fromBeginning }]);
        return BigInt(found!.partitions[0]!.offset);
      };
      return { low: await offsetOf(true), high: await offsetOf(false) };
    });
  }

  /** Fetches once. Returns the records, the offset to continue from, and whether all committed records lie before it. */
  function fetch(
    topic: string,
    from: bigint,
  ): Promise<{ records: readonly TopicRecord[]; next: bigint; isEnd: boolean }> {
    return attempt(async (cluster) => {
      await cluster.addTargetTopic(topic);
      const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [0]));
      if (nodeId === undefined) {
        await cluster.refreshMetadata();
        throw new Error(`${topic} has no leader`);
      }
      const broker = await cluster.findBroker({ nodeId });
      const partitions = [{ partition: 0, fetchOffset: String(from), maxBytes: FETCH_BYTES }];
      const { responses } = await broker.fetch({
        maxWaitTime: MAX_WAIT_MS,
        minBytes: 1,
        maxBytes: FETCH_BYTES,
        isolationLevel: READ_COMMITTED,
        topics: [{ topic, partitions }],
        rackId: '',
      });
      const partition = responses[0]!.partitions[0]!;
      const batch = new KafkaBatch(topic, String(from), partition);
      const next = nextOffset(batch, from);
      return { records: batch.messages.map(recordOf), next, isEnd: next >= BigInt(partition.lastStableOffset) };
    });
  }

  async function* readFrom(topic: string, offset: bigint): AsyncGenerator<readonly TopicRecord[], void, undefined> {
    let from = offset;
    for (;;) {
      const { records, next, isEnd } = await fetch(topic, from);
      if (records.length > 0) yield records;
      if (isEnd) return;
      from = next;
    }
  }

  return {
    async *read(topic, from = null) {
      const found = await bounds(topic);
      if (!found || found.low === found.high) return;
      yield* readFrom(topic, from !== null && from >= found.low && from < found.high ? from : found.low);
    },
    end: async (topic) => (await bounds(topic))?.high,
    stop: disconnect,
  };
}

/**
 * Returns the offset behind the last batch, taken from the batch's header: if compaction removed the batch's last records, the offset after
 * its last remaining record is still inside the batch. If compaction removed all records, the only way forward is the next offset.
 */
function nextOffset({ rawMessages }: Batch, from: bigint): bigint {
  const behind = rawMessages.map(
    ({ batchContext: { firstOffset, lastOffsetDelta } }) => BigInt(firstOffset) + BigInt(lastOffsetDelta) + 1n,
  );
  return behind.reduce((last, offset) => (offset > last ? offset : last), from + 1n);
}

const isUnknownTopic = (error: unknown): boolean => {
  const { type, cause } = error as { readonly type?: unknown; readonly cause?: unknown };
  return type === 'UNKNOWN_TOPIC_OR_PARTITION' || (cause instanceof Error && isUnknownTopic(cause));
};

function recordOf(message: Batch['messages'][number]): TopicRecord {
  const unreadable = unreadableOf(message as never);
  if (unreadable) throw unreadable;
  const { offset, key, value, headers } = message;
  return { offset: BigInt(offset), key: key === null ? null : key.toString(), value, headers };
}

/**
 * Reaches into kafkajs for its cluster object. kafkajs reads topics only in a consumer group, where joining takes the broker's rebalance
 * delay (3 s by default) at every start and needs another right. The cluster object is below that (kafkajs 2.2.4, `index.js`), behind a
 * symbol.
 */
function clusterOf(kafka: Kafka): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  if (symbol === undefined) throw new TypeError('this reader does not work with the installed release of kafkajs');
  const create = (kafka as unknown as Record<symbol, (options: object) => Cluster>)[symbol]!;
  return create({ allowAutoTopicCreation: false, isolationLevel: READ_COMMITTED });
}
