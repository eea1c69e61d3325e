import type { Anchors } from '../../log/index.js';
import type { Kafka, KafkaProducer } from '../../platform/kafka/index.js';
import { checkpointsTopic, checkpointsTopicSettings } from './names.js';

/** The topic of signed checkpoints, as a place that keeps them: a record each, its key the tenant's id. */
export interface CheckpointTopic extends Anchors {
  stop(): Promise<void>;
}

/** Every failure to read or write rejects, because a checkpoint that is not kept must not be served. */
export function createCheckpointTopic({
  kafka,
  prefix,
}: {
  readonly kafka: Kafka;
  readonly prefix: string;
}): CheckpointTopic {
  const topic = checkpointsTopic(prefix);
  const reader = kafka.topicReader();
  let connected: Promise<KafkaProducer> | undefined;

  async function connect(): Promise<KafkaProducer> {
    await kafka.ensureTopics([checkpointsTopicSettings(prefix)]);
    return kafka.connectProducer();
  }

  async function disconnect(): Promise<void> {
    const open = connected;
    connected = undefined;
    await open?.then((producer) => producer.close()).catch(() => undefined);
  }

  return {
    name: topic,
    async notes(tenant) {
      const notes: string[] = [];
      for await (const records of reader.read(topic))
        for (const { key, value } of records) if (key === tenant && value !== null) notes.push(value.toString());
      return notes;
    },
    async keep(tenant, { note }) {
      try {
        connected ??= connect();
        await (await connected).send({ topic, messages: [{ key: tenant, value: note }] });
      } catch (error) {
        await disconnect();
        throw error;
      }
    },
    async stop() {
      await Promise.all([disconnect(), reader.stop()]);
    },
  };
}
