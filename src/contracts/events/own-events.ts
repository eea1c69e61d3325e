import { Type, type Static } from 'typebox';
import { ownEvent } from './declaration.js';
import {
  ActorChain,
  Audience,
  AuthenticationMethods,
  Confirmation,
  Count,
  Digest,
  Identifier,
  PositiveCount,
  Position,
  Scope,
  Seconds,
  Text,
  TokenIdentity,
} from './event-members.js';
import { OtherValues, Selector } from '../selector.js';

/** A person who had signed in: the subject that their identity provider names. */
export const Person = Type.Object({ iss: Identifier, sub: Identifier }, { additionalProperties: false });
export type Person = Static<typeof Person>;

/**
 * The caller that gave the order. `person`: the person who had signed in and gave it; `caller` then names them too. `on_behalf_of`: the person acting,
 * as the caller names them.
 */
export const Author = Type.Object(
  { caller: Identifier, person: Type.Optional(Person), on_behalf_of: Type.Optional(Identifier) },
  { additionalProperties: false },
);
export type Author = Static<typeof Author>;

/** Names who gives an order. `on_behalf_of`: the person whom the caller names. */
export const authorOf = (
  { id, person }: { readonly id: string; readonly person?: Person | undefined },
  { on_behalf_of: named }: { readonly on_behalf_of?: string | undefined } = {},
): Author => ({
  caller: id,
  ...(person === undefined ? {} : { person: { iss: person.iss, sub: person.sub } }),
  ...(named === undefined ? {} : { on_behalf_of: named }),
});

/** Names the author for people: the person, if one is known. */
export const authorName = ({ caller, person, on_behalf_of: named }: Author): string => named ?? person?.sub ?? caller;

/** The source's event that had this effect. */
export const Cause = Type.Object({ source: Identifier, id: Identifier }, { additionalProperties: false });
export type Cause = Static<typeof Cause>;

const closed = { additionalProperties: false } as const;

/** Data of `revocation.ordered`: a rule was ordered. `seq` is its position in the control log. */
export const RevocationOrdered = Type.Object(
  {
    rule: Identifier,
    seq: Position,
    effect: Type.Enum(['revoke', 'block']),
    selector: Selector,
    or: Type.Optional(OtherValues),
    before: Type.Optional(Seconds),
    until: Type.Optional(Seconds),
    resume: Type.Optional(Type.Literal(true)),
    reauthenticate: Type.Boolean(),
    reason: Text,
    author: Author,
    cause: Type.Optional(Cause),
    after_lift_of: Type.Optional(Identifier),
  },
  closed,
);
export type RevocationOrdered = Static<typeof RevocationOrdered>;

/** Data of `revocation.lifted`: a block was lifted. Unless `resume`, everything granted up to `at` stays revoked. */
export const RevocationLifted = Type.Object(
  {
    rule: Identifier,
    seq: Position,
    at: Seconds,
    resume: Type.Boolean(),
    reason: Type.Optional(Text),
    author: Author,
    cause: Type.Optional(Cause),
  },
  closed,
);
export type RevocationLifted = Static<typeof RevocationLifted>;

// Member names that no record in the ledger may have: auditors read the ledger and nobody can edit it, so secrets must stay out.
const SECRET_NAMES = '^(?:.*secret.*|.*password.*|.*private.*|keys?|d)$';
const PRIVATE_MEMBERS = '^(?:d|p|q|dp|dq|qi|oth|k)$';
const CHANGES = ['created', 'updated', 'disabled', 'secret-added', 'secret-removed'] as const;

const registryChanged = <C extends string>(changes: readonly C[], after: object) =>
  Type.Object(
    {
      id: Identifier,
      seq: Position,
      change: Type.Enum([...changes]),
      author: Author,
      after: Type.Unsafe<Record<string, unknown>>({
        type: 'object',
        propertyNames: { not: { pattern: SECRET_NAMES } },
        ...after,
      }),
    },
    closed,
  );

/** Data of `caller.changed` and `tenant.changed`: `after` is the record after the change, without secrets and keys. */
export const RegistryChanged = registryChanged(CHANGES, {
  properties: { jwks: false },
  description: 'the record without secrets and keys',
});

/**
 * Data of `source.changed`. `after` is the source after the change, with its public keys if they are registered with it. `keys-fetched`: keys
 * that were fetched from its `jwks_uri` verified what it signed, and `after` has these keys alone.
 */
export const SourceChanged = registryChanged([...CHANGES, 'keys-fetched'], {
  properties: {
    jwks: {
      type: 'object',
      properties: {
        keys: { type: 'array', items: { type: 'object', propertyNames: { not: { pattern: PRIVATE_MEMBERS } } } },
      },
    },
  },
  description: 'the source, or its `jwks` alone; `jwks` holds public keys',
});
export type RegistryChanged = Static<typeof RegistryChanged> | Static<typeof SourceChanged>;

/**
 * Data of `introspection.counted`: how often a caller asked about a token in a window, and how often the answer was active. Best effort.
 */
export const IntrospectionCounted = Type.Object(
  { caller: Identifier, token: TokenIdentity, count: PositiveCount, active: Count, from: Seconds, to: Seconds },
  closed,
);
export type IntrospectionCounted = Static<typeof IntrospectionCounted>;

/**
 * A JWT access token that no event announced, as its verified text states it; `source` lets its tokens be recorded at first sight. The members
 * mean what they mean in `token.issued`; `aud` names the source's own resources alone.
 */
export const TokenSeen = Type.Object(
  {
    source: Identifier,
    iss: Identifier,
    jti: Type.Optional(Identifier),
    signing_input_sha256: Type.Optional(Digest),
    sub: Type.Optional(Identifier),
    client_id: Identifier,
    aud: Audience,
    scope: Type.Optional(Scope),
    iat: Seconds,
    exp: Seconds,
    auth_time: Type.Optional(Seconds),
    sid: Type.Optional(Identifier),
    acr: Type.Optional(Identifier),
    amr: Type.Optional(AuthenticationMethods),
    act: Type.Optional(ActorChain),
    cnf: Type.Optional(Confirmation),
  },
  {
    ...closed,
    oneOf: [{ required: ['jti'] }, { required: ['signing_input_sha256'] }],
    description: 'exactly one of jti and signing_input_sha256',
  },
);
export type TokenSeen = Static<typeof TokenSeen>;

/**
 * Data of `log.gap`: records of a topic that were gone before Rescind could read them, from `from_offset` up to but not including
 * `to_offset`.
 */
export const LogGap = Type.Object(
  {
    topic: Identifier,
    partition: Type.Integer({ minimum: 0, maximum: 2_147_483_647 }),
    from_offset: Position,
    to_offset: Position,
    reason: Text,
  },
  closed,
);
export type LogGap = Static<typeof LogGap>;

/** States that people give a finding. `muted`: it is not shown as open until a time. */
export const FINDING_STATES = ['open', 'acknowledged', 'resolved', 'false-alarm', 'muted'] as const;
/** Names of a finding that a mute of its kind may compare. */
export const FINDING_NAMES = ['user', 'client', 'agent', 'resource', 'source'] as const;

/**
 * Data of `finding.changed`: somebody changed the state of a finding. `nth` counts the tenant's changes, and `read` is the index below which the
 * detections had read the ledger. With `same`, the change counts for each finding of the kind that has these names too.
 */
export const FindingChanged = Type.Object(
  {
    finding: Identifier,
    nth: PositiveCount,
    kind: Identifier,
    about: Type.Object(
      {
        user: Type.Optional(
          Type.Object({ iss: Identifier, tenant: Type.Optional(Identifier), sub: Identifier }, closed),
        ),
        client: Type.Optional(Type.Object({ iss: Identifier, client_id: Identifier }, closed)),
        agent: Type.Optional(Type.Object({ iss: Identifier, id: Identifier }, closed)),
        resource: Type.Optional(Identifier),
        source: Type.Optional(Identifier),
      },
      { ...closed, description: 'the names of the finding' },
    ),
    same: Type.Optional(Type.Array(Type.Enum([...FINDING_NAMES]), { minItems: 1, uniqueItems: true })),
    state: Type.Enum([...FINDING_STATES]),
    reason: Type.Optional(Text),
    until: Type.Optional(Seconds),
    read: Position,
    author: Author,
  },
  closed,
);
export type FindingChanged = Static<typeof FindingChanged>;

/** Ways in which a detection treats a finding by itself: it does nothing, it says which rule it would order, it orders the rule. */
export const DETECTION_ACTIONS = ['off', 'dry-run', 'block'] as const;

/** Data of `detection.changed`: an administrator set the action of a detection and its cap. `nth` counts the changes of the detection. */
export const DetectionChanged = Type.Object(
  {
    kind: Identifier,
    nth: PositiveCount,
    action: Type.Enum([...DETECTION_ACTIONS]),
    cap: Type.Object({ users: Count, tokens: Count, per_hour: Count }, closed),
    author: Author,
  },
  closed,
);
export type DetectionChanged = Static<typeof DetectionChanged>;

/**
 * Data of `key.used`: a caller of Rescind's own API came from a network (/24 of IPv4, /48 of IPv6) for the first time, or for the first time in a
 * long while, with the secret `key` or as a `person` who had signed in. `first`: the caller was in no network before. `shared`: another caller of the
 * tenant was in this network.
 */
export const KeyUsed = Type.Object(
  {
    caller: Identifier,
    key: Type.Optional(Identifier),
    person: Type.Optional(Person),
    network: Identifier,
    first: Type.Boolean(),
    shared: Type.Boolean(),
  },
  closed,
);
export type KeyUsed = Static<typeof KeyUsed>;

/**
 * Data of `ledger.continued`: an operator let the ledger go on although a signed checkpoint covers entries that the database does not have.
 * `last`: that checkpoint (C2SP tlog-checkpoint). Entries with an index from `kept` to below `last.size` are lost, and their indexes are given
 * again under the new `origin`.
 */
export const LedgerContinued = Type.Object(
  {
    origin: Identifier,
    last: Type.Object({ origin: Identifier, size: Position, root: Identifier }, closed),
    kept: Position,
    reason: Text,
  },
  closed,
);
export type LedgerContinued = Static<typeof LedgerContinued>;

/**
 * Data of `log-key.changed`: an operator changed the key that signs the checkpoints of the ledger `origin`. `from` and `to` are verifier keys (C2SP
 * signed-note). Each checkpoint that covers this entry has the signature of `to`, and until `until` that of `from` too.
 */
export const LogKeyChanged = Type.Object(
  { origin: Identifier, from: Identifier, to: Identifier, until: Seconds, reason: Text },
  closed,
);
export type LogKeyChanged = Static<typeof LogKeyChanged>;

/**
 * Data of `person.erased`: the name of a person was erased from the entries below `below`. `person` is a keyed hash of the name. `erased` counts entries
 * whose payload was erased, `kept` those that keep it because they name somebody else too.
 */
export const PersonErased = Type.Object(
  {
    erasure: Identifier,
    person: Identifier,
    below: Position,
    entries: Type.Object({ erased: Count, kept: Count }, closed),
    reason: Text,
    author: Author,
  },
  closed,
);
export type PersonErased = Static<typeof PersonErased>;

export const OWN_EVENTS = {
  'revocation.ordered': ownEvent(RevocationOrdered),
  'revocation.lifted': ownEvent(RevocationLifted),
  'source.changed': ownEvent(SourceChanged),
  'caller.changed': ownEvent(RegistryChanged),
  'tenant.changed': ownEvent(RegistryChanged),
  'introspection.counted': ownEvent(IntrospectionCounted),
  'token.seen': ownEvent(TokenSeen),
  'log.gap': ownEvent(LogGap),
  'finding.changed': ownEvent(FindingChanged),
  'detection.changed': ownEvent(DetectionChanged),
  'key.used': ownEvent(KeyUsed),
  'ledger.continued': ownEvent(LedgerContinued),
  'log-key.changed': ownEvent(LogKeyChanged),
  'person.erased': ownEvent(PersonErased),
};
