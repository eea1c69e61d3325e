export {
  CONTROL_RECORD_VERSION,
  recordedKeys,
  recordKeys,
  type Author,
  type Authorship,
  type CallerRecord,
  type CallerRoles,
  type CallerSecret,
  type ControlKind,
  type ControlRecord,
  type EnableRecord,
  type IssuerClient,
  type LiftRecord,
  type NewControlRecord,
  type RecordedKeys,
  type RuleOrigin,
  type RuleRecord,
  type Seq,
  type SourceRecord,
  type StoredSource,
  type TenantRecord,
} from './log/records.js';
export {
  DEFAULT_TOKEN_PROFILE,
  readProfile,
  storedProfile,
  type LineageDemand,
  type StoredProfile,
  type TokenProfile,
} from './log/token-profile.js';
export {
  createControlState,
  MAX_STANDING_A_TENANT,
  type ControlState,
  type StatePart,
} from './state/state.js';
export type { Caller, SignedIn, Source, Tenant } from './state/registry.js';
export {
  dropUnused,
  keepSnapshots,
  readSnapshot,
  RECORDS_A_SNAPSHOT,
  writeSnapshot,
  type LastUses,
} from './follow/snapshot.pg.js';
export { createFairQueue, type FairQueue } from './log/fair-queue.js';
export { createControlLog, type Appended, type Command, type ControlLog, type Session } from './log/control-log.pg.js';
export { createLogCopies, type CommandCopy, type LogCopies, type RecordCopy } from './log/log-copy.pg.js';
export {
  createControlFollower,
  DEFAULT_LEASE_MS,
  MAX_LEASE_MS,
  MIN_LEASE_MS,
  type ControlFollower,
  type FollowerOptions,
} from './follow/follower.pg.js';
export type { Guards } from './follow/guards.js';
export type { Settled } from './follow/waits.js';
export { measureFollower, withWait } from './follow/follower-metrics.js';
export type { Confirmed, GrantAnswer, GrantRefusal } from '../lease/index.js';
export { ControlSchema } from './migrations/1796000000000-schema.js';
export { createConfirmationKeeper, type ConfirmationKeeper } from './follow/confirmations.pg.js';
export {
  commandFromEvent,
  isRuleEvent,
  weightOfEvent,
  type EventToRule,
  type RuleEventName,
} from './state/rules-from-event.js';
export { commandFromContradiction, type Contradiction } from './state/rules-from-conflict.js';
