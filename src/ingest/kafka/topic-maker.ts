import { RescindError } from '../../contracts/index.js';
import type { Kafka } from '../../platform/kafka/index.js';

/**
 * Makes a topic unless it exists, when its source is registered: a consumer cannot subscribe to a missing topic. Throws `kafka-unavailable`.
 */
export async function makeTopic(kafka: Kafka, topic: string): Promise<void> {
  try {
    await kafka.ensureTopics([topic]);
  } catch (error) {
    throw new RescindError('kafka-unavailable', { cause: error });
  }
}
