export {
  CONTROL_RECORD_VERSION,
  DEFAULT_TOKEN_PROFILE,
  SIGNING_ALGORITHMS,
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
  type RuleOrigin,
  type RuleRecord,
  type Seq,
  type SigningAlgorithm,
  type SourceRecord,
  type TenantRecord,
  type TokenProfile,
} from './records.js';
export { createControlState, type Caller, type ControlState, type Source, type Tenant } from './state.js';
export { createControlLog, type Appended, type Command, type ControlLog, type Session } from './control-log.pg.js';
export { createControlFollower, LEASE_MS, type ControlFollower } from './follower.pg.js';
export { ControlLog1764000000000 } from './migrations/1764000000000-control-log.js';
export { commandFromEvent, isRuleEvent, type EventToRule, type RuleEventName } from './rules-from-event.js';
export { commandFromContradiction, type Contradiction } from './rules-from-conflict.js';
