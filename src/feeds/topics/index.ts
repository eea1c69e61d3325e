export { controlTopic, revocationsTopic } from './names.js';
export { createTopicFeeds, type TopicFeeds, type TopicFeedsOptions } from './topic-feeds.js';
export { createCheckpointTopic, type CheckpointTopic } from './checkpoint-topic.js';
export { createControlFence, type ControlFence } from './fence.js';
export { createTopicKeys, TOPIC_KEY_FILE, type TopicKeys } from './topic-key.pg.js';
export { restoreControlLog, type Restored } from './restore.js';
