export { controlTopic, revocationsTopic } from './names.js';
export { createTopicReader, type TopicReader, type TopicRecord } from './topic-reader.kafka.js';
export { createTopicFeeds, type TopicFeeds, type TopicFeedsOptions } from './topic-feeds.kafka.js';
export { createControlFence, type ControlFence } from './fence.kafka.js';
export { passControlFence, type PassFenceOptions } from './pass-fence.kafka.js';
export { createTopicKeys, TOPIC_KEY_FILE, type TopicKeys } from './topic-key.pg.js';
export { restoreControlLog, type Restored } from './restore.kafka.js';
