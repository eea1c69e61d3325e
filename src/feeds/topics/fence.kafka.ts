import type { Kafka } from 'kafkajs';
import { RescindError } from '../../contracts/index.js';
import { createControlLog, createLogCopies } from '../../control/index.js';
import type { Pool } from '../../platform/index.js';
import { readControlMessage } from './control-message.js';
import { requireContinued } from './history.js';
import { controlTopic } from './names.js';
import { createTopicReader } from './topic-reader.kafka.js';

export interface ControlFence {
  /** Why this database must not be answered from, with what to do; undefined: it may. */
  check(): Promise<RescindError | undefined>;
  stop(): Promise<void>;
}

/**
 * Compares the database with the end of the topic that its control log is published to. Begins from no: a topic that cannot be
 * read lets nobody in. A cluster without the topic has never been published to, and has nothing to compare with.
 */
export function createControlFence({ kafka, pool, prefix }: { kafka: Kafka; pool: Pool; prefix: string }): ControlFence {
  const reader = createTopicReader({ kafka });
  const log = { copies: createLogCopies({ pool }), controlLog: createControlLog({ pool }) };
  const topic = controlTopic(prefix);
  return {
    async check() {
      try {
        const last = await reader.last(topic);
        if (last) await requireContinued(readControlMessage(last).record, topic, log);
        return undefined;
      } catch (error) {
        return error instanceof RescindError ? error : new RescindError('database-unavailable', { cause: error });
      }
    },
    stop: () => reader.stop(),
  };
}
