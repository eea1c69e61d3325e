export { createFeeds, type FeedLimits, type Feeds, type FeedsOptions } from './feeds.js';
export type { Seen, SeeToken, SightAnswer } from './token-endpoint.js';
export {
  createCheckpointTopic,
  createControlFence,
  createTopicFeeds,
  createTopicKeys,
  restoreControlLog,
  TOPIC_KEY_FILE,
  type ControlFence,
  type Restored,
  type TopicFeeds,
  type TopicKeys,
} from './topics/index.js';
export { controlTopic, revocationsTopic } from './topics/index.js';
export { TopicsSchema } from './topics/migrations/1796000005000-schema.js';
export {
  createFindingsFeed,
  createSiemFeed,
  findingsTopic,
  ocsfTopic,
  type FindingsFeedOptions,
  type SiemFeedOptions,
  type TenantFeed,
} from './siem/index.js';
export { sendReports } from './watch/guard-channel.pg.js';
export type { FindingNews, NewsOfFindings, TellableFinding } from './findings-news.js';
export { createWatch, type Watch, type WatchLimits, type WatchOptions } from './watch/watch.js';
export { WatchModule } from './watch/watch.module.js';
