export { PARTIES, type Party, type RuleEffect } from './events/declaration.js';
export {
  EVENT_NAMES,
  EVENTS,
  OWN_EVENT_NAMES,
  SOURCE_EVENT_NAMES,
  eventsBoundBy,
  eventsNaming,
  eventsSaidBy,
  eventType,
  isOtherVersion,
  isOwnEventName,
  parseEventType,
  recordKeyOf,
  ruleEffectOf,
  type EventDataOf,
  type EventName,
  type OwnEventName,
  type RuleEventName,
  type SaidBy,
  type SourceEventName,
} from './events/event-names.js';
export { holdsSecret } from './secrets.js';
export { parseEventTime, type CloudEvent } from './cloud-event.js';
export {
  instantText,
  MOMENT_FORMS,
  MOMENT_INPUT,
  parseTime,
  readAskedTime,
  readTime,
  secondsOf,
  TIME,
  TIME_FORMS,
  TIME_INPUT,
  timeInput,
  timeText,
  type AskedTime,
  type TimeInput,
} from './times.js';
export { SCHEMA_BASE, eventSchema } from './events/event-schemas.js';
export { validateEventData, type EventDataProblem } from './events/validate-event-data.js';
export { knownData } from './events/known-data.js';
export { statedAudience, withOwnAudience, type AudienceTerms } from './events/own-audience.js';
export { decodeBase64, isJsonMediaType } from './events/event-content.js';
export {
  DIGEST_PATTERN,
  MAX_ACTOR_DEPTH,
  MAX_IDENTIFIER_LENGTH,
  NO_NUL,
  NOT_BLANK,
  MAX_ONE_SCOPE_LENGTH,
  MAX_SCOPE_LENGTH,
  MAX_SCOPES,
  MAX_TIME_SECONDS,
  MAX_VALUES,
  MIN_TIME_SECONDS,
  type Actor,
  type ParentReference,
  type TokenReference,
} from './events/event-members.js';
export type { IdJagDenied, IdJagIssued } from './events/id-jag-events.js';
export type { PresentedIdJag, TokenDenied, TokenIssued, TokenRevoked } from './events/token-events.js';
export type { AccessAllowed, AccessDenied, AccessSummary } from './events/access-events.js';
export type { ClientChanged, ConnectionChanged, SessionEnded, UserChanged } from './events/lifecycle-events.js';
export { Author, authorName, authorOf, DETECTION_ACTIONS, FINDING_NAMES, FINDING_STATES } from './events/own-events.js';
export type {
  Cause,
  DetectionChanged,
  FindingChanged,
  IntrospectionCounted,
  KeyUsed,
  LedgerContinued,
  LogGap,
  LogKeyChanged,
  Person,
  PersonErased,
  RegistryChanged,
  RevocationLifted,
  RevocationOrdered,
  TokenSeen,
} from './events/own-events.js';
export {
  IDENTITY_MEMBERS,
  MAX_SELECTOR_MEMBERS,
  SELECTOR_FORMS,
  SELECTOR_MEMBERS,
  SELECTOR_SCHEMA,
  type OtherValues,
  type Selector,
  type SelectorForm,
  type SelectorMember,
  type TokenRef,
} from './selector.js';
export { REJECT_CODES, type RejectCode } from './reject-codes.js';
export {
  Agent,
  Client,
  ClientAddress,
  Count,
  EntityId,
  Index,
  isWithPayloads,
  maybe,
  payload,
  PAYLOAD_MARK,
  Resource,
  Source,
  strict,
  Time,
  timeThat,
  TokenId,
  User,
  Uuid,
} from './answer-parts.js';
export { implies, nameSchemas, type MembersOf } from './json-schema.js';
export { ERROR_CODES, isErrorCode, type ErrorCode, type ErrorKind } from './error-codes.js';
export { RescindError, type RescindErrorOptions } from './rescind-error.js';
export { canonicalJson } from './canonical-json.js';
export {
  isTyp,
  parseCompactJws,
  sha256,
  SIGNING_ALGORITHMS,
  signCompactJws,
  spellings,
  suitsAlgorithm,
  verifySignature,
  verifySignatureNow,
  type CompactJws,
  type SigningAlgorithm,
} from './signed/jws.js';
export {
  audienceOfTenant,
  claimsBytes,
  setClaims,
  setEnvelope,
  signedHeaderProblem,
} from './signed/security-event-token.js';
export {
  ELEMENT_SALT_BYTES,
  elementAttributes,
  elementDigest,
  isNamed,
  MANIFEST_ATTRIBUTE,
  manifestDigest,
  readElementAttributes,
  readSignedBatch,
  signedAttributes,
  writeSignedBatch,
  type BatchElement,
  type ManifestClaims,
  type SignedBatch,
} from './signed/signed-batch.js';
export { keyedHash } from './keyed-hash.js';
export { INACTIVE_REASONS, describeInactive, isInactiveReason, type InactiveReason } from './inactive-reasons.js';
export {
  INTAKE_WARNINGS,
  LEDGER_STATES,
  type ActiveIntrospection,
  type InactiveIntrospection,
  type IntakeResult,
  type IntakeWarning,
  type IntrospectionResponse,
  type LedgerState,
  type OAuthError,
  type Problem,
} from './http.js';
export {
  ACCESS_TOKEN_HINT,
  ACCESS_TOKEN_TOKEN_TYPE,
  ACCESS_TOKEN_TYP,
  CLOUDEVENTS_BATCH_MEDIA_TYPE,
  CLOUDEVENTS_HEADER_PREFIX,
  CLOUDEVENTS_MEDIA_TYPE,
  EVENT_TOPIC_PREFIX,
  FORM_MEDIA_TYPE,
  ID_JAG_GRANT_PROFILE,
  ID_JAG_TOKEN_TYPE,
  ID_JAG_TYP,
  ID_TOKEN_TOKEN_TYPE,
  JSON_MEDIA_TYPE,
  JWT_BEARER_CLIENT_ASSERTION_TYPE,
  JWT_BEARER_GRANT_TYPE,
  LOGOUT_TYP,
  MAX_EVENTS_PER_POST,
  MAX_EVENT_BYTES,
  MAX_MANIFEST_BYTES,
  MAX_POST_BYTES,
  NDJSON_MEDIA_TYPE,
  PROBLEM_MEDIA_TYPE,
  PROBLEM_TYPE_BASE,
  REFRESH_TOKEN_HINT,
  REFRESH_TOKEN_TOKEN_TYPE,
  SECURITY_EVENT_MEDIA_TYPE,
  SECURITY_EVENT_TYP,
  SIGNED_BATCH_MEDIA_TYPE,
  SIGNED_BATCH_TYP,
  TOKEN_EXCHANGE_GRANT_TYPE,
  TOKEN_PROFILE_PRESETS,
  type TokenProfilePreset,
  SEVERITIES,
  type Severity,
} from './constants.js';
export { printable } from './printable.js';
