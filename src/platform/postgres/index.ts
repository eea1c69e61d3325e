export { createCancellingPool } from './cancelling-pool.pg.js';
export { createLeaving, type Leaving } from './leaving.js';
export {
  createPool,
  DEFAULT_TIMEOUTS,
  inTransaction,
  isDatabaseUnavailable,
  onConnection,
  poolConfig,
} from './pool.pg.js';
export type { Pool, PoolClient, PoolOptions, SessionTimeouts } from './pool.pg.js';
export { withSessionLock } from './session-lock.pg.js';
export { queryTogether } from './together.pg.js';
export { endStuckSessions } from './stuck-sessions.pg.js';
export { CopyRows } from './copy-rows.pg.js';
export { loadSql } from './sql.js';
export {
  byteaArray,
  int2Array,
  int4Array,
  int8Array,
  jsonbArray,
  textArray,
  uuidArray,
  uuidBytes,
} from './binary-arrays.js';
export { readSchemaState, refuseForeign, requireMigrated, runMigrations } from './migrations/run-migrations.js';
export { schemaMigration } from './migrations/schema-migration.js';
export type { SchemaState } from './migrations/run-migrations.js';
export { checkServer } from './server-check.pg.js';
