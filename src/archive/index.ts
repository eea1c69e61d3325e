export { archiveNext, createArchiver, type Archiver, type ArchiverOptions, type Wrote } from './archiver.pg.js';
export { leaveDue, type Left } from './leave/leave.pg.js';
export { findDamaged, type Damaged } from './check.pg.js';
export { pathOf, readManifest, type ArchivedFile, type Manifest, type TenantRows } from './manifest.pg.js';
export { rebuildArchive, type ArchiveRebuilt } from './rebuild.pg.js';
export { SEGMENT_ENTRIES, tenantDirectory, type Range } from './segment.js';
export { TABLES, type Column, type ColumnType, type TableName } from './tables.js';
export { STEPS, type Step } from './write-segment.pg.js';
export { ArchiveSchema } from './migrations/1796000007000-schema.js';
