import type { Admin, Kafka } from 'kafkajs';
import type { LogBounds } from './partition.js';

/** A broker that does not answer by then is unknown; whoever asked has the rest of the answer. */
const ANSWER_WITHIN_MS = 3_000;

export interface LogBoundsReader {
  cluster(): Promise<string>;
  /** Undefined where the broker does not know the topic. */
  ofTopic(topic: string): Promise<ReadonlyMap<number, LogBounds> | undefined>;
  stop(): Promise<void>;
}

/** What the broker says of its logs, over a connection that is made when first asked. Rejects when it does not answer in time. */
export function createLogBoundsReader({ kafka }: { readonly kafka: Kafka }): LogBoundsReader {
  let connected: Promise<Admin> | undefined;

  async function connect(): Promise<Admin> {
    const admin = kafka.admin({ retry: { retries: 1 } });
    await admin.connect();
    return admin;
  }

  async function ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    connected ??= connect().catch((error: unknown) => {
      connected = undefined;
      throw error;
    });
    const asking = connected.then(question);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('the broker does not answer')), ANSWER_WITHIN_MS);
    });
    try {
      return await Promise.race([asking, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    cluster: () => ask(async (admin) => (await admin.describeCluster()).clusterId),
    ofTopic: (topic) =>
      ask(async (admin) => {
        if (!(await admin.listTopics()).includes(topic)) return undefined;
        const bounds = await admin.fetchTopicOffsets(topic);
        return new Map(bounds.map(({ partition, low, high }) => [partition, { low: BigInt(low), high: BigInt(high) }]));
      }),
    async stop() {
      await (await connected?.catch(() => undefined))?.disconnect();
    },
  };
}
