import { RescindError } from '../../contracts/index.js';
import type { Kafka } from '../../platform/kafka/index.js';

export interface TopicMaker {
  /** Makes the topic unless it exists. Throws `kafka-unavailable`. */
  create(topic: string): Promise<void>;
}

/** Creates topics. A source's topic is created when the source is registered, because a consumer cannot subscribe to a missing topic. */
export const createTopicMaker = (kafka: Pick<Kafka, 'ensureTopics'>): TopicMaker => ({
  async create(topic) {
    try {
      await kafka.ensureTopics([topic]);
    } catch (error) {
      throw new RescindError('kafka-unavailable', { cause: error });
    }
  },
});
