export { createQuestions, type Questions, type QuestionsOptions } from './questions.pg.js';
export type { SourceSight } from './coverage/check.pg.js';
export type { ControlView } from './reader.js';
export type { FindStopping } from './token-lineage.js';
export { describeApi, QueryModule } from './query.module.js';
export type {
  AccessItem,
  AccessPage,
  ConnectionItem,
  ConnectionPage,
  EntryAnswer,
  GrantItem,
  GrantPage,
  GraphAnswer,
  GraphEdge,
  GraphNode,
  QuarantinePage,
  TokenAnswer,
} from './answers.js';
export { CSV_MEDIA_TYPE } from './directory/import-file.js';
export { Directory1764000008041 } from './directory/migrations/1764000008041-directory.js';
