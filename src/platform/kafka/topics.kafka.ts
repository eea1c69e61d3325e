import { setTimeout as delay } from 'node:timers/promises';
import type { Admin } from 'kafkajs';

/** How long a new topic may take until it has leaders, and how often they are asked for. */
const LEADERS_WITHIN_MS = 10_000;
const LEADERS_POLL_MS = 50;

/** A topic whose partitions or settings are part of what it promises; what is left out, the broker's defaults say. */
export interface TopicSettings {
  readonly topic: string;
  readonly partitions?: number;
  readonly config?: Readonly<Record<string, string>>;
}

/** Creates the topics that are not there; the broker's defaults say how many replicas they get. One that is there is left as it is. */
export async function ensureTopics(admin: Pick<Admin, 'listTopics' | 'createTopics' | 'fetchTopicMetadata'>, topics: readonly (string | TopicSettings)[]): Promise<void> {
  const existing = new Set(await admin.listTopics());
  const missing = topics.map((one) => (typeof one === 'string' ? { topic: one } : one)).filter(({ topic }) => !existing.has(topic));
  if (missing.length === 0) return;
  await admin.createTopics({
    topics: missing.map(({ topic, partitions, config = {} }: TopicSettings) => ({
      topic,
      ...(partitions === undefined ? {} : { numPartitions: partitions }),
      configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
    })),
    waitForLeaders: false,
  });
  await untilLed(admin, missing.map(({ topic }) => topic));
}

/** As kafkajs would wait, which gives up where a broker does not know the topic yet: on a busy machine some tens of milliseconds. */
async function untilLed(admin: Pick<Admin, 'fetchTopicMetadata'>, topics: string[]): Promise<void> {
  const givesUpAt = performance.now() + LEADERS_WITHIN_MS;
  for (;;) {
    try {
      await admin.fetchTopicMetadata({ topics });
      return;
    } catch (error) {
      if (performance.now() > givesUpAt) throw error;
      await delay(LEADERS_POLL_MS);
    }
  }
}
