export { createQuestions, type Questions, type QuestionsOptions } from './questions.pg.js';
export { REPORTS_AT_ONCE } from './reports/stream.js';
export type { SourceSight } from './coverage/check.pg.js';
export { createReader, type ControlView, type Reader } from './ask/reader.js';
export type { BlastAnswer } from './reach/answers.js';
export type { IncidentReport } from './reports/answers.js';
export type { PreviewOrder, ProposedOrder } from './reach/blast.pg.js';
export type { FindStopping } from './lists/token-lineage.js';
export { createLedgerHandler } from './ledger/ledger-handler.js';
export { describeApi, QueryModule } from './query.module.js';
export type { AccessCounts, AccessItem, AccessPage } from './access/answers.js';
export type {
  ConnectionItem,
  ConnectionPage,
  EntryAnswer,
  GrantItem,
  GrantPage,
  QuarantinePage,
  TokenAnswer,
} from './lists/answers.js';
export type { GraphAnswer, GraphEdge, GraphNode } from './graph/answers.js';
export { DirectoryEntry } from './directory/answers.js';
export { MAX_TAGS, readTags, readTagged, TAG, taggedWith } from './directory/tags.js';
export { DIRECTORY_KINDS, entryOf, type DirectoryKind } from './directory/entry.js';
export { EvidenceFile } from './evidence/answers.js';
export { readEvidenceFiles } from './evidence/evidence.pg.js';
export { Answers, type Asker } from './ask/documented.controller.js';
export { SHOWN_FINDINGS, type FindingSubject, type ReadOpenFindings } from './ask/open-findings.js';
export { isCut } from './ask/answer-parts.js';
export { readNames, resolveFilter } from './ask/names.pg.js';
export { parameterDocs } from './ask/parameter-docs.js';
export { readAsOf } from './ask/as-of.js';
export { readPage, readPageAsOf, type Page, type PageAsOf } from './ask/page.js';
export {
  FILTER_PARAMETERS,
  invalid,
  need,
  readChoice,
  readFlag,
  readParameters,
  type Parameters,
} from './ask/parameters.js';
export { readWindow, windowAt } from './ask/window.js';
export type { FindUses } from './access/find-uses.js';
