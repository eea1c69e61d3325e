import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { fetchedOffsetOf } from './internals/internals.kafka.js';
import type { KafkaRecord } from './record.js';
import { unreadableOf } from './record-sets/fetch-response.kafka.js';
import type { UnreadableRecordSet } from './record-sets/unreadable-record-set.js';

const PARTITIONS_CONCURRENTLY = 8;
/** A member that died silently is noticed after this time. */
const SESSION_TIMEOUT_MS = 10_000;
/** How often a busy member sends a heartbeat to the group. */
const HEARTBEAT_MS = 3_000;
/** Longest wait of one fetch, and so the longest time that a record waits for others. */
const MAX_WAIT_MS = 50;

/** Records of one partition that one fetch brought. */
export interface FetchedBatch {
  readonly topic: string;
  readonly partition: number;
  /** Offset that the fetch asked for. */
  readonly asked: bigint;
  readonly records: readonly KafkaRecord[];
  /** Stands behind `records` if nothing after them could be read. */
  readonly unreadable: UnreadableRecordSet | undefined;
  /** Last offset of the batch, which may be that of a record that nobody reads. */
  readonly last: bigint;
  /** Offset that the next record of the partition will get. */
  readonly high: bigint;
  /** Whether the member has left or sought another offset since the fetch. */
  readonly isStale: () => boolean;
}

export interface GroupMemberOptions {
  readonly groupId: string;
  /** Called at each assignment with the partitions of each topic, before any of their batches. */
  readonly onAssigned: (assignment: Readonly<Record<string, readonly number[]>>) => void;
  /** Called when the member has stopped for good because of an error. */
  readonly onCrash: (error: Error) => void;
  /**
   * Takes a batch; of one partition, one at a time. Resolves to the offset behind which the next fetch begins, or undefined if the batch was not
   * taken. If the group must be joined again meanwhile, the answer is not waited for.
   */
  readonly take: (batch: FetchedBatch) => Promise<bigint | undefined>;
}

/** A member of a consumer group. It commits no offsets: its user stores them and seeks. */
export interface GroupMember {
  /** Joins the group and begins to fetch. Once for each member, because the topics of a running member cannot change. */
  join(topics: readonly string[]): Promise<void>;
  seek(topic: string, partition: number, offset: bigint): void;
  pause(topic: string, partition: number): void;
  resume(topic: string, partition: number): void;
  /** Fetches nothing more. */
  pauseAll(): void;
  leave(): Promise<void>;
}

export function createGroupMember(kafka: Kafka, options: GroupMemberOptions): GroupMember {
  const consumer = kafka.consumer({
    groupId: options.groupId,
    sessionTimeout: SESSION_TIMEOUT_MS,
    maxWaitTimeInMs: MAX_WAIT_MS,
    allowAutoTopicCreation: false,
    // kafkajs would restart the consumer with its old topics, and one of them may have caused the crash.
    retry: { restartOnFailure: () => Promise.resolve(false) },
  });
  let joined: readonly string[] = [];
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => options.onAssigned(payload.memberAssignment));
  consumer.on(consumer.events.CRASH, ({ payload }) => options.onCrash(payload.error));
  return {
    async join(topics) {
      joined = topics;
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: PARTITIONS_CONCURRENTLY,
        eachBatch: (payload) => handOver(payload, options.take),
      });
    },
    seek: (topic, partition, offset) => consumer.seek({ topic, partition, offset: String(offset) }),
    pause: (topic, partition) => pauseIfRunning(consumer, [{ topic, partitions: [partition] }]),
    resume: (topic, partition) => consumer.resume([{ topic, partitions: [partition] }]),
    pauseAll: () =>
      pauseIfRunning(
        consumer,
        joined.map((topic) => ({ topic })),
      ),
    leave: () => consumer.disconnect(),
  };
}

function pauseIfRunning(consumer: Consumer, what: Parameters<Consumer['pause']>[0]): void {
  try {
    consumer.pause(what);
  } catch {
    // The consumer crashed or never ran, so it fetches nothing.
  }
}

async function handOver(
  { batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload,
  take: GroupMemberOptions['take'],
): Promise<void> {
  const unreadable = unreadableOf(batch.messages.at(-1)!);
  const readable: readonly KafkaMessage[] = unreadable ? batch.messages.slice(0, -1) : batch.messages;
  const taking = take({
    topic: batch.topic,
    partition: batch.partition,
    asked: fetchedOffsetOf(batch),
    records: readable.map(recordOf),
    unreadable,
    last: BigInt(batch.lastOffset()),
    high: BigInt(batch.highWatermark),
    isStale: () => !isRunning() || isStale(),
  });
  const taken = await whileBeating(taking, heartbeat);
  if (taken !== undefined) resolveOffset(String(taken));
}

/** Sends heartbeats while waiting for `what`. Rejects if the group must be joined again, because that waits for no batch. */
async function whileBeating<T>(what: Promise<T>, heartbeat: () => Promise<void>): Promise<T> {
  let beating: NodeJS.Timeout | undefined;
  const lost = new Promise<never>((_, reject) => {
    beating = setInterval(() => void heartbeat().catch(reject), HEARTBEAT_MS);
  });
  try {
    return await Promise.race([what, lost]);
  } finally {
    clearInterval(beating);
  }
}

const recordOf = ({ offset, timestamp, key, value, headers = {} }: KafkaMessage): KafkaRecord => ({
  offset: BigInt(offset),
  timestamp,
  key,
  value,
  headers,
});
