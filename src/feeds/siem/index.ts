export { createFindingsFeed, type FindingsFeedOptions } from './findings-feed.js';
export { findingsTopic, ocsfTopic } from './names.js';
export { createSiemFeed, type SiemFeedOptions } from './siem-feed.js';
export type { TenantFeed } from './tenant-feed.js';
