export { createFeeds, type FeedLimits, type Feeds, type FeedsOptions } from './feeds.js';
export type { Seen, SeeToken, SightAnswer } from './token-endpoint.js';
