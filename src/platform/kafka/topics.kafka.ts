import { setTimeout as delay } from 'node:timers/promises';
import type { Admin } from 'kafkajs';

/** How long a new topic may take until its partitions have leaders, and how often that is checked. */
const LEADERS_WITHIN_MS = 10_000;
const LEADERS_POLL_MS = 50;

/** A topic whose partitions or settings are part of its contract. The broker's defaults fill in everything left out. */
export interface TopicSettings {
  readonly topic: string;
  readonly partitions?: number;
  readonly config?: Readonly<Record<string, string>>;
}

/** Creates the topics that do not exist, with the broker's default number of replicas. Leaves existing topics unchanged. */
export async function ensureTopics(
  admin: Pick<Admin, 'listTopics' | 'createTopics' | 'fetchTopicMetadata'>,
  topics: readonly (string | TopicSettings)[],
): Promise<void> {
  const existing = new Set(await admin.listTopics());
  const missing = topics
    .map((one) => (typeof one === 'string' ? { topic: one } : one))
    .filter(({ topic }) => !existing.has(topic));
  if (missing.length === 0) return;
  await admin.createTopics({
    topics: missing.map(({ topic, partitions, config = {} }: TopicSettings) => ({
      topic,
      ...(partitions === undefined ? {} : { numPartitions: partitions }),
      configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
    })),
    waitForLeaders: false,
  });
  await untilLed(
    admin,
    missing.map(({ topic }) => topic),
  );
}

/**
 * Waits until the topics have leaders. kafkajs's own wait gives up if a broker does not know the topic yet, some tens of milliseconds on
 * a busy machine.
 */
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
