export { createOpenFindings } from './ask/open.pg.js';
export { createActor } from './act/actor.pg.js';
export type { Orders } from './act/act.pg.js';
export { createDetectionActions, type DetectionActions } from './actions/detection-actions.js';
export { createFindings, type Findings } from './ask/findings.pg.js';
export { withoutNetworks } from './ask/says.js';
export type { FindingItem, FindingPage } from './ask/answers.js';
export { KINDS, SEVERITIES, type Detection, type Kind, type Severity } from './detection.js';
export { DETECTIONS } from './detections.js';
export type { TellChange } from './states/states.js';
export { DetectionsModule, type DetectionsParts } from './actions/detections.module.js';
export { FindingsModule, type FindingsParts } from './findings.module.js';
export {
  createFindingsFollower,
  followNext,
  type FindingsFollowerOptions,
} from './follow/follower.pg.js';
export { FindingsSchema } from './migrations/1796000008000-schema.js';
export {
  lastNews,
  NEWS,
  NEWS_KEPT_MS,
  readNews,
  tellNews,
  type News,
  type NewsOptions,
  type NewsRead,
  type What,
} from './news/news.pg.js';
export { readTagsOf } from './news/tags.pg.js';
