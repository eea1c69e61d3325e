import type { Admin, Kafka } from 'kafkajs';

/** A broker that has not answered by then counts as unknown; the caller gets the rest of its answer. */
const ANSWER_WITHIN_MS = 3_000;

/** Offsets of a partition: the first that still exists, and the one that the next record will get. */
export interface LogBounds {
  readonly low: bigint;
  readonly high: bigint;
}

/** Offsets by partition. */
export type TopicBounds = ReadonlyMap<number, LogBounds>;

export interface LogBoundsReader {
  cluster(): Promise<string>;
  /** Offsets of a topic; undefined if the broker does not know it. */
  ofTopic(topic: string): Promise<TopicBounds | undefined>;
  /** Offsets of those topics that the broker knows and answers for. */
  ofTopics(topics: Iterable<string>): Promise<ReadonlyMap<string, TopicBounds>>;
  stop(): Promise<void>;
}

/**
 * Reads the offsets of logs from the broker, over a connection made at the first question. Rejects if the broker does not answer in time.
 */
export function createLogBoundsReader(kafka: Kafka): LogBoundsReader {
  let current: Connection | undefined;

  async function connect(): Promise<Admin> {
    const admin = kafka.admin({ retry: { retries: 1 } });
    await admin.connect();
    return admin;
  }

  /**
   * Asks through the present admin, or a new one if it fails. An admin of kafkajs 2.2.4 keeps asking for every topic that it was once asked
   * about, and fails for all of them when one is gone.
   */
  async function ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    const isFresh = current === undefined;
    const used = (current ??= { admin: connect(), questions: 0 });
    used.questions += 1;
    try {
      return await inTime(used.admin.then(question));
    } catch (error) {
      if (current === used) current = undefined;
      if (isFresh) throw error;
    } finally {
      used.questions -= 1;
      if (used !== current && used.questions === 0) void end(used);
    }
    return ask(question);
  }

  const boundsOf = async (admin: Admin, topic: string): Promise<TopicBounds> => {
    const bounds = await admin.fetchTopicOffsets(topic);
    return new Map(bounds.map(({ partition, low, high }) => [partition, { low: BigInt(low), high: BigInt(high) }]));
  };

  return {
    cluster: () => ask(async (admin) => (await admin.describeCluster()).clusterId),
    ofTopic: (topic) =>
      ask(async (admin) => ((await admin.listTopics()).includes(topic) ? boundsOf(admin, topic) : undefined)),
    async ofTopics(topics) {
      const existing = new Set(await ask((admin) => admin.listTopics()));
      const found = new Map<string, TopicBounds>();
      for (const topic of topics) {
        if (!existing.has(topic)) continue;
        const bounds = await ask((admin) => boundsOf(admin, topic)).catch(() => undefined);
        if (bounds) found.set(topic, bounds);
      }
      return found;
    },
    async stop() {
      const last = current;
      current = undefined;
      if (last) await end(last);
    },
  };
}

/** An admin and the number of questions that wait for it. An abandoned admin is closed after the last of them. */
interface Connection {
  readonly admin: Promise<Admin>;
  questions: number;
}

async function end({ admin }: Connection): Promise<void> {
  const made = await admin.catch(() => undefined);
  await made?.disconnect().catch(() => undefined);
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the broker does not answer')), ANSWER_WITHIN_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
