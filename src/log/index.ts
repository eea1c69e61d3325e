export { appendEntries, type ArrivalMode, type LogIndex, type NewEntry, type Placed } from './append.pg.js';
export { contentHash, findKnown, saysTheSame, type ContentOf, type FirstEntry } from './known.pg.js';
export { eraseEntries, findNamedEntries, type LeftOfEntry, type NamedEntry } from './erase.pg.js';
export { prepareEntry, type EntryToPrepare } from './prepare.js';
export { readEntries, type StoredEntry, type StoredPayload } from './read.pg.js';
export { createRangeKeeper, RANGE_ENTRIES, RangeMissing, type RangeKeeper } from './ranges.pg.js';
export { LedgerSchema } from './migrations/1796000001000-schema.js';
