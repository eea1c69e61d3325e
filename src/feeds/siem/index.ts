export { ocsfTopic } from './names.js';
export { createSiemFeed, type SiemFeed, type SiemFeedOptions } from './siem-feed.js';
