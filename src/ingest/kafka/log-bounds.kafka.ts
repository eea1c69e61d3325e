import type { Admin, Kafka } from 'kafkajs';
import type { LogBounds } from './partition.js';

/** A broker that does not answer by then is unknown; whoever asked has the rest of the answer. */
const ANSWER_WITHIN_MS = 3_000;

/** By partition. */
export type TopicBounds = ReadonlyMap<number, LogBounds>;

export interface LogBoundsReader {
  cluster(): Promise<string>;
  /** Undefined where the broker does not know the topic. */
  ofTopic(topic: string): Promise<TopicBounds | undefined>;
  /** Of those that the broker knows and answers for. */
  ofTopics(topics: Iterable<string>): Promise<ReadonlyMap<string, TopicBounds>>;
  stop(): Promise<void>;
}

/** What the broker says of its logs, over a connection that is made when first asked. Rejects when it does not answer in time. */
export function createLogBoundsReader({ kafka }: { readonly kafka: Kafka }): LogBoundsReader {
  let current: Connection | undefined;

  async function connect(): Promise<Admin> {
    const admin = kafka.admin({ retry: { retries: 1 } });
    await admin.connect();
    return admin;
  }

  /** kafkajs 2.2.4 goes on asking for each topic that an admin was once asked about, and fails for all when one is gone: then another is made. */
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
    ofTopic: (topic) => ask(async (admin) => ((await admin.listTopics()).includes(topic) ? boundsOf(admin, topic) : undefined)),
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

/** An admin, and how many wait for its answer: one that is given up ends with the last of them. */
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
