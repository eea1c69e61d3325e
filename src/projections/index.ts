export { COUNTING_TIMEOUT_MS, MAX_COUNTED } from './counting.js';
export { ENTITY_DIMENSIONS, ENTITY_KINDS, type EntityKind } from './entities.pg.js';
export { namesOf, readNames, type EntityRow, type Names } from './names/names.pg.js';
export { seenToken, type OwnProjectedEvent, type ProjectedEvent } from './event.js';
export { personOf } from './connections/person.js';
export { CONNECTION_STATES } from './connections/write.pg.js';
export { SAID_EVENTS, type SaidEvent } from './said/write.pg.js';
export { PRINCIPAL_STATES } from './sessions/write.pg.js';
export { OPERATIONS, OUTCOMES } from './usage/sums.pg.js';
export {
  readHourUses,
  readTotalUses,
  type HourSubject,
  type HourUses,
  type UsageMoment,
  type UseSums,
} from './usage/read.pg.js';
export { readClosedEdges, readOpenEdges, type EdgesWanted, type EdgeSum } from './usage/edge-sums.pg.js';
export { readUsesOfGrants, readUsesOfUsers, type UserUses, type UseTimes } from './usage/user-uses.pg.js';
export {
  endOfUserBlocks,
  readNewlyUsedGrants,
  readUsedGrants,
  type UsedGrant,
} from './usage/used-grants.pg.js';
export { readAttributions, type UseAttribution } from './usage/attributions.pg.js';
export { BLOCK_BITS, firstOfBlock } from './usage/blocks.js';
export {
  COLD_COLUMNS,
  type ColdLines,
  type ColdUses,
  type ReadsUses,
  type UsesRead,
} from './cold/uses-read.js';
export { deleteCold, LEAVE_STEP, type Archived } from './cold/leave.pg.js';
export {
  dropPartition,
  isHeldUp,
  makePartitions,
  readShape,
  type Dropped,
  type Partition,
} from './cold/partitions.pg.js';
export type { Conflict } from './tokens/write.pg.js';
export { createLineageReader, type LineageReader } from './tokens/read.pg.js';
export { ENTER_GATE, REBUILD_LOCK } from './gate.js';
export type { AskedMoment, Moment } from './snapshot/moment.js';
export { AGENT_TYPES, READ_NAMES } from './names/read-names.js';
export {
  COUNT_ARRIVED,
  createAsk,
  type Ask,
  type AskOptions,
  type Early,
  type Prepared,
  type Snapshot,
  type TableGeneration,
} from './snapshot/snapshot.pg.js';
export { MAX_LINEAGE_HOPS, type StoredIdJag, type StoredLineage, type StoredToken } from './tokens/stored-lineage.js';
export { MAX_ROUTES_A_SOURCE, OTHER_ROUTES } from './usage/routes.pg.js';
export { lastUsesOf, type UsedRule } from './rules/last-uses.pg.js';
export { termsOf, type ToldRule } from './rules/terms.js';
export { TURNED_MS, turnedBelow } from './rules/turned.js';
export {
  LEAD_OF_ALL,
  MAX_RULES_READ,
  rulesAsOf,
  type RuleVersion,
  type TenantRows,
  type WhichRules,
} from './rules/read.pg.js';
export { MAX_SEQUENCE_GAPS, type SequenceState } from './sequences/write.pg.js';
export { AHEAD_MS, PROMPT_MS } from './sources/write.pg.js';
export { findForeignTokens, type Announced } from './tokens/foreign.pg.js';
export { MORE_SCOPES } from './scopes.js';
export { ALL_PROJECTIONS, PROJECTIONS, projectionsOf, REBUILD_NAMES, type ProjectionName } from './declarations.js';
export {
  REBUILD_CONNECTIONS,
  rebuildProjections,
  type Progress,
  type RebuildOptions,
  type Rebuilt,
} from './rebuild/rebuild.pg.js';
export { readEntryEvent, type EntryEvent } from './rebuild/stored-event.js';
export type { Compared } from './rebuild/compare.pg.js';
export { writeProjections, type WrittenProjections } from './write.pg.js';
export { ProjectionsSchema } from './migrations/1796000002000-schema.js';
