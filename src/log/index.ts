export { appendEntries, type ArrivalMode, type LogIndex, type NewEntry, type Placed } from './append.pg.js';
export { contentHash, findKnown, saysTheSame, type ContentOf, type FirstEntry } from './known.pg.js';
export { eraseEntries, findNamedEntries, type LeftOfEntry, type NamedEntry } from './erase.pg.js';
export { prepareEntry, type EntryToPrepare } from './prepare.js';
export type { Anchors, KeptCheckpoint } from './publish/anchors.js';
export { continueLedger, type Continuation } from './publish/continue.pg.js';
export { createLedgerFence, passLedgerFence, type LedgerFenceOptions } from './publish/fence.pg.js';
export { listKeys, verifiersOf, type ListedKey } from './publish/keys.pg.js';
export { createLedgerDirectory, type LedgerDirectory } from './publish/ledger-directory.js';
export { createLedgerKeeper, type LedgerKeeper } from './publish/ledger-keeper.js';
export { originOf } from './publish/log-key.js';
export { readEvidence } from './evidence/evidence.pg.js';
export {
  createProver,
  listWitnesses,
  readPublished,
  type ProveEntry,
  type Published,
  type WitnessSeen,
} from './publish/published.pg.js';
export { planRotation, rotateLogKey, type Rotation } from './publish/rotate.pg.js';
export { readEntries, type EntryRow, type StoredEntry, type StoredPayload } from './read.pg.js';
export { createRangeKeeper, RANGE_ENTRIES, RangeMissing, type RangeKeeper } from './ranges.pg.js';
export { readBundle } from './tree/bundle.pg.js';
export { readTree } from './tree/head.pg.js';
export { createTileReader, readTreeNodes } from './tree/tiles.pg.js';
export { createLedgerWitnesses, type LedgerWitnesses } from './witness/ledger-witnesses.pg.js';
export { readWitnesses, readWitnessFile, type Witness } from './witness/witnesses.js';
export { LedgerSchema } from './migrations/1796000001000-schema.js';
