import { RescindError } from '../../contracts/index.js';
import { createControlLog, createLogCopies } from '../../control/index.js';
import type { Kafka } from '../../platform/kafka/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import { createControlSeal } from './control-message.js';
import { findPublished, requireContinued } from './history.js';
import { storedOffset } from './lead.pg.js';
import { controlTopic } from './names.js';
import type { TopicKeys } from './topic-key.pg.js';

export interface ControlFence {
  /** Returns why answers must not come from this database, with what to do. Undefined if they may. */
  check(): Promise<RescindError | undefined>;
  stop(): Promise<void>;
}

export interface FenceOptions {
  readonly kafka: Kafka;
  readonly pool: Pool;
  readonly keys: TopicKeys;
  readonly prefix: string;
  readonly log: Log;
}

/**
 * Compares the database with the topic that its control log is published to. The default is no: if the topic cannot be read or opened,
 * the check fails. A cluster without the topic has never been published to, so there is nothing to compare with.
 */
export function createControlFence({ kafka, pool, keys, prefix, log }: FenceOptions): ControlFence {
  const reader = kafka.topicReader();
  const database = { copies: createLogCopies({ pool }), controlLog: createControlLog({ pool }) };
  const topic = controlTopic(prefix);

  async function requirePublished(): Promise<void> {
    const key = await keys.find();
    const { last, foreign } = await findPublished({
      reader,
      topic,
      seal: key && createControlSeal(key),
      from: await storedOffset(pool, topic),
    });
    if (foreign > 0)
      log.warn(
        { topic, records: foreign },
        'somebody else has written to the topic of control records; their records are ignored',
      );
    if (last) await requireContinued(last.record, topic, database);
  }

  return {
    async check() {
      try {
        await requirePublished();
        return undefined;
      } catch (error) {
        return error instanceof RescindError ? error : new RescindError('database-unavailable', { cause: error });
      }
    },
    stop: () => reader.stop(),
  };
}
