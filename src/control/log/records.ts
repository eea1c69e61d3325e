import type { OtherValues, Selector, SelectorKeys } from '../../rules/index.js';
import type { Author, EventName } from '../../contracts/index.js';
import type { Seq } from '../../lease/index.js';
import { isFirstSpelling, type StoredProfile, type TokenProfile } from './token-profile.js';

export type { Author, Seq };

export type EpochSeconds = number;

/** The newest version that this release reads and writes. */
export const CONTROL_RECORD_VERSION = 4;

/** Versions of records. A record is written in the lowest version that can express it, so that older releases read as much as they can fold. */
const PLAIN_VERSION = 1;
const SEVERAL_SELECTORS_VERSION = 2;
const PROFILE_VERSION = 3;
const SIGNATURE_VERSION = 4;

/** A tenant: the organisation whose security team uses Rescind. */
export interface TenantRecord {
  readonly id: string;
  /** `[a-z0-9-]{1,63}`, unique in the deployment. */
  readonly name: string;
  /** 32 random bytes, base64url: the HMAC key of rule keys, dedupe keys and token identities (wire.md). It never leaves Rescind. */
  readonly key: string;
  /** Issuers that its sources may speak for; absent: every issuer that no other tenant lists. */
  readonly issuers?: readonly string[];
}

/** A registered producer of events, and what it may say. */
export interface SourceRecord {
  readonly id: string;
  /** `[a-z0-9-]{1,63}`, unique in the deployment. */
  readonly name: string;
  /** The CloudEvents `source`, unique in the deployment. */
  readonly uri: string;
  /** `rescind.events.<name>` unless several sources are registered to share one. */
  readonly topic: string;
  readonly types: readonly EventName[];
  readonly issuers: readonly string[];
  readonly resources: readonly string[];
  readonly jwks?: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
  readonly jwks_uri?: string;
  readonly profile: TokenProfile;
  /** The source signs its events, and an unsigned one is refused. Absent: it may sign them. Version 4 added it. */
  readonly signature?: 'required';
  readonly disabled: boolean;
}

/** A source as a control record holds it. */
export type StoredSource = Omit<SourceRecord, 'profile'> & { readonly profile: StoredProfile };

export interface CallerSecret {
  readonly id: string;
  /** SHA-256 of the secret, base64url. */
  readonly sha256: string;
  readonly created_at: EpochSeconds;
  readonly expires_at?: EpochSeconds;
}

export interface IssuerClient {
  readonly iss: string;
  readonly client_id: string;
}

/** The roles of a caller. Every role names its bound; an absent role grants nothing. */
export interface CallerRoles {
  /** Source names. */
  readonly emit?: { readonly sources: readonly string[] };
  /** `wait`, here and in `guard`: Rescind waits for the event of an opaque token that it has not seen yet. */
  readonly introspect?: {
    readonly resources: readonly string[];
    readonly issuers: readonly string[];
    readonly wait?: boolean;
  };
  readonly guard?: {
    readonly resources: readonly string[];
    readonly issuers: readonly string[];
    readonly wait?: boolean;
  };
  readonly 'revoke-own'?: { readonly clients: readonly IssuerClient[] };
  /** The bound is the whole tenant, or the selector must name one of these issuers or resources. */
  readonly revoke?:
    | { readonly tenant: true }
    | { readonly issuers: readonly string[]; readonly resources: readonly string[] };
  /** `payloads: false`: everything but payloads, addresses and networks of clients, and exports. */
  readonly audit?: { readonly payloads?: false };
  readonly admin?: Readonly<Record<string, never>>;
}

/** A registered client of Rescind's own API. `id` is its `client_id`, `[a-z0-9-]{1,63}`, unique in the deployment. */
export interface CallerRecord {
  readonly id: string;
  readonly roles: CallerRoles;
  /** At most two at once, so that one can be rotated. */
  readonly secrets: readonly CallerSecret[];
  readonly disabled: boolean;
}

/** The event that became a rule. A later enabling event of the same source lifts the rule. */
export interface RuleOrigin {
  readonly source: string;
  readonly event: string;
  /** Event time, epoch milliseconds. */
  readonly at: number;
  /** Identifies the connection that the event is about, as RFC 8785 JSON, because a selector cannot; absent for other events. */
  readonly subject?: string;
}

export interface RuleRecord extends RecordedKeys {
  readonly id: string;
  readonly effect: 'revoke' | 'block';
  /** Names, for people. Decisions use the keys, which remain after the names are erased. */
  readonly selector: Selector;
  /** Further values of the selector's members, if the rule has several selectors. */
  readonly or?: OtherValues;
  /** The moment of a `revoke`; absent: the record's own time. */
  readonly before?: EpochSeconds;
  readonly until?: EpochSeconds;
  /** For a `block` with `until`: after `until` it stops nothing. Without `resume` it would then act as a `revoke`. */
  readonly resume?: true;
  readonly reauthenticate: boolean;
  readonly reason: string;
  readonly author: Author;
  readonly origin?: RuleOrigin;
  /** The block whose lift ordered this `revoke`. */
  readonly after_lift_of?: string;
}

export interface LiftRecord {
  readonly rule: string;
  /** All keys of a rule with several selectors, for readers that receive a lift for each selector. */
  readonly several?: RecordedKeys;
  readonly resume: boolean;
  readonly reason: string;
  readonly author: Author;
}

/** The selection of one rule or enabling: its first selector key and, if it has several selectors, the others. Version 2 added `or_keys`. */
export interface RecordedKeys {
  readonly shape: number;
  /** Selector key, base64url of its bytes. */
  readonly key: string;
  /** Further selector keys of the same shape, one after the other, base64url of their bytes. */
  readonly or_keys?: string;
}

export const recordKeys = ({ shape, keys: [key, ...others] }: SelectorKeys): RecordedKeys => ({
  shape,
  key: Buffer.from(key!, 'latin1').toString('base64url'),
  ...(others.length > 0 ? { or_keys: Buffer.from(others.join(''), 'latin1').toString('base64url') } : {}),
});

export function recordedKeys({ shape, key, or_keys: others }: RecordedKeys): SelectorKeys {
  const first = Buffer.from(key, 'base64url').toString('latin1');
  if (others === undefined) return { shape, keys: [first] };
  const bytes = Buffer.from(others, 'base64url');
  const keys = [first];
  for (let at = 0; at < bytes.length; at += first.length) keys.push(bytes.toString('latin1', at, at + first.length));
  return { shape, keys };
}

/** Counts the selectors that folding the record adds or looks up: its cost. */
export const weightOf = ({ body }: NewControlRecord): number =>
  'or_keys' in body ? 1 + body.or_keys!.length / body.key.length : 1;

export function versionOf({ body }: NewControlRecord): number {
  if ('signature' in body) return SIGNATURE_VERSION;
  if ('profile' in body && !isFirstSpelling(body.profile)) return PROFILE_VERSION;
  return 'or_keys' in body ? SEVERAL_SELECTORS_VERSION : PLAIN_VERSION;
}

/** Lifts the blocks of one source on these selectors that are older than `origin.at`; a tie stays blocked. */
export interface EnableRecord extends RecordedKeys {
  readonly origin: RuleOrigin;
}

/** Says who made which change. Stored with a registry record for its ledger entry. */
export interface Authorship {
  readonly author?: Author;
  /** `person-erased`: nothing of the record changed, and what processes and guards remember of the tenant's tokens counts no more. */
  readonly change?: 'created' | 'updated' | 'disabled' | 'secret-added' | 'secret-removed' | 'person-erased';
}

interface RecordBodies {
  'tenant.changed': TenantRecord & Authorship;
  'source.changed': StoredSource & Authorship;
  'caller.changed': CallerRecord & Authorship;
  'rule.ordered': RuleRecord;
  'rule.lifted': LiftRecord;
  'subject.enabled': EnableRecord;
}

export type ControlKind = keyof RecordBodies;

/** A record to be appended. `subject` is the id of what changed. */
export type NewControlRecord = {
  [K in ControlKind]: {
    readonly kind: K;
    readonly tenant: string;
    readonly subject: string;
    readonly body: RecordBodies[K];
  };
}[ControlKind];

/** A record as it was committed. */
export type ControlRecord = NewControlRecord & {
  readonly seq: Seq;
  readonly version: number;
  /** Epoch milliseconds of the database's clock under the head lock. */
  readonly at: number;
};
