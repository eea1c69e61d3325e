export { createKafka } from './client.kafka.js';
export type { FetchedBatch, GroupMember, GroupMemberOptions } from './group-member.kafka.js';
export type { Kafka, KafkaAdmin, KafkaProducer } from './kafka.js';
export type { LogBounds, LogBoundsReader } from './log-bounds.kafka.js';
export type { KafkaRecord } from './record.js';
export type { UnreadableRecordSet } from './record-sets/unreadable-record-set.js';
export type { TopicReader, TopicRecord } from './topic-reader.kafka.js';
export type { TopicMessage, TopicWriter } from './topic-writer.kafka.js';
export type { TopicSettings } from './topics.kafka.js';
