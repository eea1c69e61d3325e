export {
  checkDatabase,
  DATABASE_NOT_COVERED,
  type CheckDatabaseOptions,
  type LedgerReport,
} from './database/check-database.pg.js';
export { checkServed, SERVED_NOT_COVERED, type CheckServedOptions, type ServedReport } from './served/check-served.js';
export type { WrongOfKind } from './database/found.js';
export type { NoteKeeper } from './database/kept-notes.js';
export type { Wrong } from './wrong.js';
