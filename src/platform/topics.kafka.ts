import type { Admin } from 'kafkajs';

/** A topic whose partitions or settings are part of what it promises; what is left out, the broker's defaults say. */
export interface TopicSettings {
  readonly topic: string;
  readonly partitions?: number;
  readonly config?: Readonly<Record<string, string>>;
}

/** Creates the topics that are not there; the broker's defaults say how many replicas they get. One that is there is left as it is. */
export async function ensureTopics(admin: Pick<Admin, 'listTopics' | 'createTopics'>, topics: readonly (string | TopicSettings)[]): Promise<void> {
  const existing = new Set(await admin.listTopics());
  const missing = topics.map((one) => (typeof one === 'string' ? { topic: one } : one)).filter(({ topic }) => !existing.has(topic));
  if (missing.length === 0) return;
  await admin.createTopics({
    topics: missing.map(({ topic, partitions, config = {} }: TopicSettings) => ({
      topic,
      ...(partitions === undefined ? {} : { numPartitions: partitions }),
      configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
    })),
    waitForLeaders: true,
  });
}
