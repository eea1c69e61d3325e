import type { GroupMember, GroupMemberOptions } from './group-member.kafka.js';
import type { LogBoundsReader } from './log-bounds.kafka.js';
import type { TopicReader } from './topic-reader.kafka.js';
import type { TopicWriter } from './topic-writer.kafka.js';
import type { TopicSettings } from './topics.kafka.js';

/**
 * Port to a Kafka cluster: the rest of `src` knows nothing of the client library behind it. Every part connects for itself, and its owner closes
 * it, because an open connection keeps the process alive.
 */
export interface Kafka {
  /** Whether the cluster has brokers and a controller. Rejects if nobody answers. */
  isUp(): Promise<boolean>;
  /** Creates the topics that do not exist. Leaves existing topics unchanged. */
  ensureTopics(topics: readonly (string | TopicSettings)[]): Promise<void>;
  connectAdmin(): Promise<KafkaAdmin>;
  /** Reads where logs begin and end. */
  logBounds(): LogBoundsReader;
  /** Reads partitions that the members of a group share among them. */
  groupMember(options: GroupMemberOptions): GroupMember;
  /** Reads a whole topic without a group. */
  topicReader(): TopicReader;
  /** Writes topics as the only holder of a transactional id. */
  topicWriter(transactionalId: string): TopicWriter;
  connectProducer(): Promise<KafkaProducer>;
}

export interface KafkaAdmin {
  clusterId(): Promise<string>;
  /** Names of all topics. */
  topics(): Promise<ReadonlySet<string>>;
  ensureTopics(topics: readonly (string | TopicSettings)[]): Promise<void>;
  close(): Promise<void>;
}

/** Writes records to topics that exist. */
export interface KafkaProducer {
  /** Resolves when the brokers have the records. `acks` -1 waits for all in-sync replicas, the default. `compression` 1 is gzip. */
  send(batch: {
    readonly topic: string;
    readonly messages: readonly {
      readonly key: string | null;
      readonly value: string | Buffer;
      readonly headers?: Record<string, string>;
    }[];
    readonly acks?: number;
    readonly compression?: number;
  }): Promise<unknown>;
  close(): Promise<void>;
}
