import { LEDGER_STATES, nameSchemas } from '../../contracts/index.js';
import { Type, type Static } from 'typebox';
import {
  Agent,
  Base64,
  Client,
  Count,
  GrantedScopes,
  INACTIVE,
  Index,
  lowerBound,
  maybe,
  one,
  page,
  payload,
  Resource,
  Scopes,
  Source,
  strict,
  Time,
  timeThat,
  TokenId,
  User,
} from '../ask/answer-parts.js';

import { EvidenceFile } from '../evidence/answers.js';
import { findingsMember } from '../ask/open-findings.js';

/*
 * Schemas of the lists' answers: the only source of the types, of OpenAPI's response schemas and of the check in the
 * integration spec. Times are RFC 3339. Positions in the ledger are decimal strings, because a JSON number is
 * floating point.
 */
const usage = {
  accesses: Count,
  allowed: Count,
  denied: Count,
  first_used: maybe(Time),
  last_used: maybe(Time),
  ...lowerBound,
};

export const ConnectionItem = Type.Object(
  {
    id: Type.String(),
    state: Type.Enum(['created', 'observed', 'deleted'], {
      description: 'observed: the connection was only seen in an ID-JAG',
    }),
    since: Type.Object(
      { index: Index, at: Time },
      { ...strict, description: 'arrival of the event that made this state' },
    ),
    decided_at: maybe(timeThat('Time of the last decision, as the IdP states it. null: the IdP has stated none.')),
    idp_client: Client,
    client: Client,
    resource: Resource,
    agent: maybe(Agent),
    granted_scopes: GrantedScopes,
    used_scopes: Scopes,
    unused_scopes: Scopes,
    users: Count,
    ...usage,
  },
  { ...strict, description: '`usage` is that of the client at the resource; two connections can share it' },
);
export const ConnectionPage = page(ConnectionItem);

export const GrantItem = Type.Object(
  {
    user: User,
    client: Client,
    resource: Resource,
    agent: maybe(Agent),
    granted_scopes: GrantedScopes,
    used_scopes: Scopes,
    unused_scopes: Scopes,
    first_granted: Type.Object(
      { index: Index, at: Time },
      { ...strict, description: 'arrival of the first event that shows the grant' },
    ),
    ...usage,
  },
  strict,
);
export const GrantPage = page(GrantItem);

const Facts = Type.Record(Type.String(), Type.Unknown(), {
  description: 'facts as the event states them; see /schemas for the members',
});
const lineageMember = {
  id: Type.String(),
  index: Index,
  source: Source,
  facts: Facts,
  conflict: Type.Boolean({ description: 'whether another event contradicts this one' }),
};

const StoppedBy = Type.Array(Type.Object({ rule: Type.String() }, strict), {
  description:
    'Rules that stop the token. Now: those in force on this node. With `as_of`: those in the ledger at that moment.',
});

export const TokenAnswer = one({
  id: TokenId,
  index: Index,
  source: Source,
  facts: Facts,
  conflict: maybe(Index),
  user: maybe(User),
  client: Client,
  agent: maybe(Agent),
  lineage: Type.Object(
    {
      tokens: Type.Array(Type.Object(lineageMember, strict)),
      id_jags: Type.Array(Type.Object(lineageMember, strict)),
      missing: Type.Array(Type.Object({ kind: Type.Enum(['token', 'id_jag']), id: Type.String() }, strict)),
      broken: Type.Boolean({
        description: 'whether the lineage has a cycle or too many hops; such a token is never active',
      }),
    },
    {
      ...strict,
      description:
        'ID-JAGs and tokens that the token came from, nearest first. `missing`: the lineage names them, but no event about them has arrived.',
    },
  ),
  exchanged: Type.Object(
    {
      items: Type.Array(
        Type.Object(
          {
            kind: Type.Enum(['token', 'id_jag']),
            came_from: Type.String({ description: 'id of the token or ID-JAG that it came from' }),
            ...lineageMember,
            accesses: Type.Object({ count: Count, allowed: Count, denied: Count, last: maybe(Time) }, strict),
            stopped_by: StoppedBy,
          },
          strict,
        ),
      ),
      ...lowerBound,
    },
    { ...strict, description: 'ID-JAGs and tokens that came from the token, nearest first, at most 50' },
  ),
  stopped_by: StoppedBy,
  ...INACTIVE,
  ...findingsMember,
  accesses: Type.Object({ count: Count, allowed: Count, denied: Count, first: maybe(Time), last: maybe(Time) }, strict),
});

export const EntryAnswer = one({
  index: Index,
  state: Type.Enum([...LEDGER_STATES], {
    description:
      'sequenced: durable; integrated: under the root of the tree; published: covered by a signed checkpoint (`/ledger/{tenant}/checkpoint`)',
  }),
  arrival: timeThat('time of arrival; the commitment has it in epoch milliseconds'),
  type: Type.String(),
  source: Source,
  commitment: Base64,
  leaf_hash: Base64,
  payload: payload(
    Type.Object(
      {
        mode: Type.Enum(['binary', 'structured', 'batch', 'ndjson', 'set', 'own']),
        salt: Base64,
        attributes: Base64,
        bytes: Base64,
        manifest: maybe(
          Type.String({
            description: 'the signed manifest that names the event, a JWS; null unless it came in a signed batch',
          }),
        ),
      },
      {
        ...strict,
        description: 'null if the content was erased, and for callers with `audit: {payloads: false}`',
      },
    ),
  ),
  evidence: Type.Optional(maybe(EvidenceFile)),
});

const SequenceNumber = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

export const SequencesAnswer = one({
  items: Type.Array(
    Type.Object(
      {
        source: Source,
        first: SequenceNumber,
        last: SequenceNumber,
        missing: Type.Integer({ minimum: 0, description: 'numbers between `first` and `last` that have not come' }),
        repeated: Type.Integer({ minimum: 0, description: 'events with a number that was already used or given up' }),
        given_up: Type.Integer({
          minimum: 0,
          description: 'numbers that are no longer awaited, because there were too many gaps',
        }),
        gaps: Type.Array(Type.Object({ from: SequenceNumber, to: SequenceNumber }, strict), {
          description: 'the lowest 100 gaps, each with its first and last missing number',
        }),
      },
      strict,
    ),
  ),
});

export const QuarantineItem = Type.Object(
  {
    id: Type.String(),
    at: Time,
    code: Type.String(),
    detail: Type.String(),
    source: maybe(Source),
    door: Type.Enum(['kafka', 'http']),
    caller: maybe(Type.String()),
    position: maybe(
      Type.Object(
        { cluster: Type.String(), topic: Type.String(), partition: Type.Integer(), offset: Type.String() },
        strict,
      ),
    ),
    mode: Type.Enum(['binary', 'structured', 'batch', 'ndjson', 'set']),
    size: Type.Integer({ minimum: 0, description: 'number of bytes that came; fewer may be kept' }),
    headers: payload(Type.String()),
    text: payload(
      Type.String({
        description:
          'The record as UTF-8, at most 64 KiB, with token-shaped strings masked; a SET or a signed batch that holds no token is not masked. Bytes that are not UTF-8 appear as U+FFFD. null, as `headers`, for callers with `audit: {payloads: false}`.',
      }),
    ),
    whole: Type.Boolean({ description: 'whether nothing was cut or masked, so that the record can be replayed' }),
    replayed_at: maybe(timeThat('time when it was replayed and refused again')),
  },
  strict,
);
export const QuarantinePage = page(QuarantineItem);

nameSchemas({
  ConnectionItem,
  ConnectionPage,
  GrantItem,
  GrantPage,
  TokenAnswer,
  EntryAnswer,
  SequencesAnswer,
  QuarantineItem,
  QuarantinePage,
});

export type ConnectionPage = Static<typeof ConnectionPage>;
export type ConnectionItem = Static<typeof ConnectionItem>;
export type GrantPage = Static<typeof GrantPage>;
export type GrantItem = Static<typeof GrantItem>;
export type TokenAnswer = Static<typeof TokenAnswer>;
export type EntryAnswer = Static<typeof EntryAnswer>;
export type SequencesAnswer = Static<typeof SequencesAnswer>;
export type QuarantineItem = Static<typeof QuarantineItem>;
export type QuarantinePage = Static<typeof QuarantinePage>;
