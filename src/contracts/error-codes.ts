import { REJECT_CODES, type RejectCode } from './reject-codes.js';

/** Says what a caller can do about an error. One file of platform maps kinds to HTTP; domain code never names a status. */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'method-not-allowed'
  | 'timeout'
  | 'conflict'
  | 'unprocessable'
  | 'too-large'
  | 'unsupported-media-type'
  | 'overloaded'
  | 'unavailable'
  | 'internal';

/** Kinds for which the same request may succeed on a later attempt. */
export const RETRYABLE_KINDS: ReadonlySet<ErrorKind> = new Set<ErrorKind>(['timeout', 'overloaded', 'unavailable']);

const OWN_CODES = {
  'invalid-request': { kind: 'invalid', title: 'The request is malformed.' },
  'inconsistent-request': {
    kind: 'invalid',
    title: 'Each part of the request is well formed, but parts of it exclude or need one another.',
  },
  'invalid-event': { kind: 'invalid', title: 'The event does not match the schema of its type.' },
  'invalid-selector': { kind: 'invalid', title: 'The selector is malformed.' },
  'empty-selector': { kind: 'invalid', title: 'The selector has no members.' },
  'contradictory-selector': { kind: 'invalid', title: 'The members of the selector contradict one another.' },
  'selector-too-long': { kind: 'invalid', title: 'The selector has more than four members.' },
  'invalid-effect': { kind: 'invalid', title: 'The effect does not go with the rest of the order.' },
  'time-not-past': { kind: 'invalid', title: 'A rule can revoke up to now, never into the future.' },
  'time-not-future': { kind: 'invalid', title: 'The time has passed, and must lie in the future.' },
  'reason-required': { kind: 'invalid', title: 'Every rule needs a reason.' },
  'confirmation-required': { kind: 'invalid', title: 'The rule hits so much that the order needs a confirmation.' },
  'invalid-cursor': { kind: 'invalid', title: 'The cursor is not one that Rescind issued for this question.' },
  'as-of-out-of-range': {
    kind: 'invalid',
    title: 'The moment lies in the future, or before the first entry of the ledger.',
  },
  'filter-too-wide': { kind: 'invalid', title: 'The question takes too much to answer; narrow it.' },
  'token-in-request': {
    kind: 'invalid',
    title: 'The request holds text that looks like a token; ask by its issuer and jti, or by its SHA-256.',
  },
  'invalid-idempotency-key': { kind: 'invalid', title: 'The Idempotency-Key is malformed.' },
  'invalid-jwks': { kind: 'invalid', title: 'The key set is malformed, or holds a private, weak or unusable key.' },
  'invalid-bound': { kind: 'invalid', title: 'A role is bound to something that is not registered or malformed.' },
  'config-invalid': { kind: 'invalid', title: 'The configuration is refused.' },
  unauthenticated: {
    kind: 'unauthenticated',
    title: 'The caller is unknown, or its credentials are wrong or expired.',
  },
  'sign-in-failed': { kind: 'unauthenticated', title: 'The sign-in did not end well; begin it again.' },
  'sign-in-again': {
    kind: 'unauthenticated',
    title: 'The person must have signed in within the last minutes to order this; sign in again.',
  },
  forbidden: { kind: 'forbidden', title: 'The caller lacks the role.' },
  'selector-too-wide': { kind: 'forbidden', title: 'The selector reaches beyond what the caller may revoke.' },
  'not-found': { kind: 'not-found', title: 'There is no such thing, or the caller may not see it.' },
  'method-not-allowed': {
    kind: 'method-not-allowed',
    title: 'The path does not take this method; `Allow` names the methods that it takes.',
  },
  'request-timeout': { kind: 'timeout', title: 'The request did not arrive whole in time; send it again.' },
  'already-exists': { kind: 'conflict', title: 'This name is already in use.' },
  'rebuild-running': { kind: 'conflict', title: 'Another rebuild is running on this database.' },
  'rebuild-differs': { kind: 'conflict', title: 'The rebuilt tables differ from the live ones.' },
  'migrations-pending': { kind: 'conflict', title: 'The database lacks migrations of this release.' },
  'schema-newer': { kind: 'conflict', title: 'A newer release has migrated the database.' },
  'schema-older': { kind: 'conflict', title: 'The database was made before release 0.1.0.' },
  'edit-conflict': { kind: 'conflict', title: 'Somebody else has changed it in the meantime.' },
  'not-liftable': { kind: 'conflict', title: 'A revoke cannot be lifted; only a block can.' },
  'already-lifted': { kind: 'conflict', title: 'The block is no longer in force.' },
  'too-many-secrets': { kind: 'conflict', title: 'The caller has two secrets already; remove one first.' },
  'last-admin': { kind: 'conflict', title: 'The last administrator cannot be removed.' },
  'idempotency-key-in-use': { kind: 'conflict', title: 'A request with this Idempotency-Key is still being answered.' },
  'idempotency-key-reused': { kind: 'unprocessable', title: 'The Idempotency-Key was used with another body.' },
  'too-many-requests': { kind: 'overloaded', title: 'The caller sends more than its share; wait and try again.' },
  'too-many-rules': {
    kind: 'overloaded',
    title: 'The source sends more events that become rules than may be added; wait and try again.',
  },
  overloaded: { kind: 'overloaded', title: 'Rescind has no room for the request now; wait and try again.' },
  'not-confirmed': {
    kind: 'unavailable',
    title: 'The rule is stored, but not yet confirmed in force everywhere; repeat the request to wait again.',
  },
  'rebuild-not-switched': {
    kind: 'unavailable',
    title: 'Nothing was switched, because other sessions held locks on the tables.',
  },
  'no-lease': { kind: 'unavailable', title: 'This node holds no lease and cannot say whether a token is good.' },
  'not-archived': {
    kind: 'unavailable',
    title: 'Too many uses are not archived yet: the role `archive` does not run, or is far behind.',
  },
  'archive-damaged': {
    kind: 'unavailable',
    title: 'A file of the archive cannot be read; `rescind rebuild archive` makes it anew.',
  },
  'engine-unavailable': {
    kind: 'unavailable',
    title: 'The engine of explore ended while it answered; ask again.',
  },
  'sign-in-unavailable': { kind: 'unavailable', title: 'The identity provider of people cannot be reached.' },
  'database-unavailable': { kind: 'unavailable', title: 'The database cannot be reached.' },
  'keys-unavailable': {
    kind: 'unavailable',
    title: 'The keys of the source cannot be fetched, so its signature cannot be checked now; send it again.',
  },
  'kafka-unavailable': { kind: 'unavailable', title: 'Kafka cannot be reached or started.' },
  'control-log-unreadable': { kind: 'unavailable', title: 'The control log holds a record of a version unknown here.' },
  'control-log-behind': {
    kind: 'unavailable',
    title: 'The database is behind its published records: it is an old backup, or has another history.',
  },
  'control-topic-corrupt': {
    kind: 'internal',
    title: 'The topic of control records holds records that Rescind did not write.',
  },
  'control-topic-sealed': {
    kind: 'unavailable',
    title: 'The topic of control records cannot be opened: its key is missing or wrong.',
  },
  'ledger-behind': {
    kind: 'unavailable',
    title: 'The ledger is behind a checkpoint that was signed: the database is an old backup.',
  },
  'ledger-forked': {
    kind: 'unavailable',
    title: 'The ledger has other entries than a checkpoint that was signed covers.',
  },
  'log-key-missing': { kind: 'unavailable', title: 'The key that signs the ledger is not here.' },
  'log-key-unreadable': { kind: 'unavailable', title: 'The key that signs the ledger cannot be read.' },
  'shutting-down': { kind: 'unavailable', title: 'This process is stopping.' },
  'emit-failed': { kind: 'unavailable', title: 'The events could not be delivered.' },
  'ledger-inconsistent': { kind: 'internal', title: 'The ledger contradicts what was stored before.' },
  internal: { kind: 'internal', title: 'Rescind failed; the log of this process says how.' },
} as const satisfies Record<string, { kind: ErrorKind; title: string }>;

const REJECT_KINDS: Partial<Record<RejectCode, ErrorKind>> = {
  'too-large': 'too-large',
  'unsupported-media-type': 'unsupported-media-type',
  conflict: 'conflict',
  'unknown-source': 'forbidden',
  'source-not-allowed': 'forbidden',
  'signature-required': 'forbidden',
  'signature-invalid': 'forbidden',
  'unknown-key': 'forbidden',
  'wrong-audience': 'forbidden',
};

export type ErrorCode = keyof typeof OWN_CODES | RejectCode;

const rejections = Object.entries(REJECT_CODES).map(
  ([code, title]) => [code, { kind: REJECT_KINDS[code as RejectCode] ?? 'invalid', title }] as const,
);

/** Every code that can leave Rescind, including the rejections of events. */
export const ERROR_CODES: Readonly<Record<ErrorCode, { readonly kind: ErrorKind; readonly title: string }>> =
  Object.freeze(
    Object.assign({}, OWN_CODES, Object.fromEntries(rejections)) as Record<
      ErrorCode,
      { kind: ErrorKind; title: string }
    >,
  );

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text);
}
