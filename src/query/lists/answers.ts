import { nameSchemas } from '../../contracts/index.js';
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
  Resource,
  Scopes,
  Source,
  strict,
  Time,
  TokenId,
  User,
} from '../ask/answer-parts.js';

/*
 * Schemas of the lists' answers: the only source of the types, of OpenAPI's response schemas and of the check in the
 * integration spec. Times are integer seconds. Positions in the ledger are decimal strings, because a JSON number is
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
    state: Type.Enum(['created', 'observed', 'deleted'], { description: 'observed: only seen in an ID-JAG' }),
    since: Type.Object({ index: Index, at: Time }, { ...strict, description: 'arrival of the event that made it so' }),
    decided_at: maybe(
      Type.Integer({ description: 'when, in the words of the IdP, it was last decided; null: the IdP has not said' }),
    ),
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
  { ...strict, description: 'usage is that of client and resource, which two connections can share' },
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
    first_granted: Type.Object({ index: Index, at: Time }, { ...strict, description: 'arrival of the first evidence' }),
    ...usage,
  },
  strict,
);
export const GrantPage = page(GrantItem);

const Facts = Type.Record(Type.String(), Type.Unknown(), {
  description: 'as the event said them; members: see /schemas',
});
const lineageMember = {
  id: Type.String(),
  index: Index,
  source: Source,
  facts: Facts,
  conflict: Type.Boolean({ description: 'another event contradicts it' }),
};

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
      broken: Type.Boolean({ description: 'a cycle, or too many hops: never active' }),
    },
    { ...strict, description: 'what it came of, nearest first; missing: named, but no event of theirs has arrived' },
  ),
  stopped_by: Type.Array(Type.Object({ rule: Type.String() }, strict), {
    description:
      'rules that stop it: of the present those that are in force on this node, of the past those that the ledger tells',
  }),
  ...INACTIVE,
  accesses: Type.Object({ count: Count, allowed: Count, denied: Count, first: maybe(Time), last: maybe(Time) }, strict),
});

export const EntryAnswer = one({
  index: Index,
  state: Type.Literal('sequenced'),
  arrival: Type.Integer({ description: 'milliseconds since the epoch' }),
  type: Type.String(),
  source: Source,
  commitment: Base64,
  leaf_hash: Base64,
  payload: maybe(
    Type.Object(
      {
        mode: Type.Enum(['binary', 'structured', 'batch', 'ndjson', 'own']),
        salt: Base64,
        attributes: Base64,
        bytes: Base64,
      },
      { ...strict, description: 'null: erased' },
    ),
  ),
});

const SequenceNumber = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

export const SequencesAnswer = one({
  items: Type.Array(
    Type.Object(
      {
        source: Source,
        first: SequenceNumber,
        last: SequenceNumber,
        missing: Type.Integer({ minimum: 0, description: 'numbers between the first and the last that have not come' }),
        repeated: Type.Integer({ minimum: 0, description: 'events under a number that was used, or given up' }),
        given_up: Type.Integer({
          minimum: 0,
          description: 'numbers that are no longer waited for, since there were too many gaps',
        }),
        gaps: Type.Array(Type.Object({ from: SequenceNumber, to: SequenceNumber }, strict), {
          description: 'the lowest 100, first and last missing number',
        }),
      },
      strict,
    ),
  ),
});

export const QuarantineItem = Type.Object(
  {
    id: Type.String(),
    at: Type.Integer({ description: 'milliseconds since the epoch' }),
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
    mode: Type.Enum(['binary', 'structured', 'batch', 'ndjson']),
    size: Type.Integer({ minimum: 0, description: 'bytes that came; what is kept of them may be shorter' }),
    headers: Type.String(),
    text: Type.String({
      description: 'what came, as UTF-8, token-shaped strings masked; what is no UTF-8 shows as U+FFFD',
    }),
    whole: Type.Boolean({ description: 'nothing was cut or masked: it can be replayed' }),
    replayed_at: maybe(Type.Integer({ description: 'milliseconds since the epoch; it was refused again then' })),
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
