import type { Admin, Kafka } from 'kafkajs';
import { RescindError } from '../../contracts/index.js';
import { ensureTopics } from '../../platform/kafka/index.js';

export interface TopicMaker {
  /** Makes the topic unless it exists. Throws `kafka-unavailable`. */
  create(topic: string): Promise<void>;
  stop(): Promise<void>;
}

/** Creates topics. A source's topic is created when the source is registered, because a consumer cannot subscribe to a missing topic. */
export function createTopicMaker(kafka: Kafka): TopicMaker {
  let connected: Promise<Admin> | undefined;

  async function connect(): Promise<Admin> {
    const admin = kafka.admin();
    await admin.connect();
    return admin;
  }

  return {
    async create(topic) {
      const used = (connected ??= connect());
      try {
        await ensureTopics(await used, [topic]);
      } catch (error) {
        if (connected === used) connected = undefined;
        // An admin that stays connected would keep its process from ending.
        void used.then((admin) => admin.disconnect()).catch(() => undefined);
        throw new RescindError('kafka-unavailable', { cause: error });
      }
    },
    async stop() {
      await (await connected?.catch(() => undefined))?.disconnect();
    },
  };
}
