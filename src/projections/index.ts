export { ENTITY_KINDS, type EntityKind } from './entities.pg.js';
export type { ProjectedEvent } from './event.js';
export { CONNECTION_STATES } from './connections/write.pg.js';
export { PRINCIPAL_STATES } from './sessions/write.pg.js';
export { OPERATIONS, OUTCOMES } from './usage/write.pg.js';
export type { Conflict } from './tokens/write.pg.js';
export {
  createLineageReader,
  MAX_LINEAGE_HOPS,
  type LineageReader,
  type StoredIdJag,
  type StoredLineage,
  type StoredToken,
} from './tokens/read.pg.js';
export { MAX_ROUTES_A_SOURCE, OTHER_ROUTES } from './usage/routes.pg.js';
export { writeProjections } from './write.pg.js';
export { Projections1764000002000 } from './migrations/1764000002000-projections.js';
export { SourceRoutes1764000006000 } from './migrations/1764000006000-source-routes.js';
