/** Events that sources send. Declared in one block so that a switch over them can be exhaustive. */
export const SOURCE_EVENT_NAMES = [
  'id-jag.issued',
  'id-jag.denied',
  'token.issued',
  'token.denied',
  'token.revoked',
  'access.allowed',
  'access.denied',
  'access.summary',
  'session.ended',
  'user.disabled',
  'client.disabled',
  'connection.deleted',
  'user.enabled',
  'client.enabled',
  'connection.created',
  'connection.updated',
] as const;

/** Rescind's own acts, in the same ledger. A source that sends one of them is refused. */
export const OWN_EVENT_NAMES = [
  'revocation.ordered',
  'revocation.lifted',
  'source.changed',
  'caller.changed',
  'tenant.changed',
  'introspection.counted',
  'token.seen',
  'log.gap',
] as const;

export type SourceEventName = (typeof SOURCE_EVENT_NAMES)[number];
export type OwnEventName = (typeof OWN_EVENT_NAMES)[number];
export type EventName = SourceEventName | OwnEventName;

export const EVENT_NAMES: readonly EventName[] = [...SOURCE_EVENT_NAMES, ...OWN_EVENT_NAMES];

const TYPE_PREFIX = 'dev.rescind.';
const TYPE_VERSION = '.v1';

/** Builds the CloudEvents `type`: `dev.rescind.<name>.v1`. */
export function eventType<N extends EventName>(name: N): `dev.rescind.${N}.v1` {
  return `${TYPE_PREFIX}${name}${TYPE_VERSION}` as `dev.rescind.${N}.v1`;
}

const NAME_BY_TYPE: ReadonlyMap<string, EventName> = new Map(EVENT_NAMES.map((name) => [eventType(name), name]));

/** Reads the name from a CloudEvents `type`, compared byte for byte. Undefined for an unknown name and for another version. */
export function parseEventType(type: string): EventName | undefined {
  return NAME_BY_TYPE.get(type);
}

const ANY_VERSION = /\.v[1-9][0-9]*$/;

/** Says whether the name is known but the version is not: `unsupported-version` rather than `unknown-type`. */
export function isOtherVersion(type: string): boolean {
  return !NAME_BY_TYPE.has(type) && NAME_BY_TYPE.has(type.replace(ANY_VERSION, TYPE_VERSION));
}

const OWN: ReadonlySet<string> = new Set(OWN_EVENT_NAMES);

export function isOwnEventName(name: EventName): name is OwnEventName {
  return OWN.has(name);
}
