export { appendEntries, type ArrivalMode, type LogIndex, type NewEntry, type Placed } from './append.pg.js';
export { prepareEntry, type EntryToPrepare } from './prepare.js';
export { readEntries, type StoredEntry, type StoredPayload } from './read.pg.js';
export { createRangeKeeper, RANGE_ENTRIES, RangeMissing, type RangeKeeper } from './ranges.pg.js';
export { Ledger1764000001000 } from './migrations/1764000001000-ledger.js';
export { LedgerPartitions1764000005000 } from './migrations/1764000005000-ledger-partitions.js';
