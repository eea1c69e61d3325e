export { createKafka } from './client.kafka.js';
export type { KafkaClientOptions } from './client.kafka.js';
export { ensureTopics } from './topics.kafka.js';
export type { TopicSettings } from './topics.kafka.js';
export { unreadableOf } from './record-sets/fetch-response.kafka.js';
export { UnreadableRecordSet } from './record-sets/unreadable-record-set.js';
export type { RecordSetProblem } from './record-sets/unreadable-record-set.js';
