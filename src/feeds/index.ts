export { createFeeds, type FeedLimits, type Feeds, type FeedsOptions } from './feeds.js';
export type { Seen, SeeToken, SightAnswer } from './token-endpoint.js';
export {
  createControlFence,
  createTopicFeeds,
  createTopicKeys,
  passControlFence,
  restoreControlLog,
  TOPIC_KEY_FILE,
  type ControlFence,
  type Restored,
  type TopicFeeds,
  type TopicKeys,
} from './topics/index.js';
export { controlTopic, revocationsTopic } from './topics/index.js';
export { TopicsSchema } from './topics/migrations/1796000005000-schema.js';
export { createSiemFeed, ocsfTopic, type SiemFeed, type SiemFeedOptions } from './siem/index.js';
