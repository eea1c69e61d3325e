import { Author, nameSchemas } from '../../contracts/index.js';
import { SAID_EVENTS } from '../../projections/index.js';
import { Type, type Static } from 'typebox';
import {
  Agent,
  Client,
  Count,
  Index,
  maybe,
  page,
  Resource,
  Scopes,
  Source,
  strict,
  Time,
  TokenId,
  User,
} from '../ask/answer-parts.js';

/** Kinds of lines. Lines of one moment stand in this order. */
export const TIMELINE_KINDS = [
  'rule',
  'account',
  'connection',
  'denial',
  'conflict',
  'refusal',
  'use',
  'grant',
  'issued',
  'name',
] as const;
export type TimelineKind = (typeof TIMELINE_KINDS)[number];

/** Kind of line that each event of a source makes. */
export const KIND_OF_SAID = {
  'user.disabled': 'account',
  'user.enabled': 'account',
  'session.ended': 'account',
  'client.disabled': 'account',
  'client.enabled': 'account',
  'connection.created': 'connection',
  'connection.updated': 'connection',
  'connection.deleted': 'connection',
  'id-jag.denied': 'denial',
  'token.denied': 'denial',
} as const satisfies Record<(typeof SAID_EVENTS)[number], TimelineKind>;

const Word = Type.Optional(Type.String());
const line = <K extends TimelineKind>(kind: K) => ({ kind: Type.Literal(kind), at: Time, index: Index });
const said = <K extends TimelineKind>(kind: K) => ({
  ...line(kind),
  event: Type.Enum(SAID_EVENTS.filter((name) => KIND_OF_SAID[name] === kind)),
  source: Source,
  user: maybe(User),
  client: maybe(Client),
  agent: maybe(Agent),
  resources: Type.Array(Resource),
});

const Use = Type.Object(
  {
    ...line('use'),
    outcome: Type.Enum(['allowed', 'denied']),
    user: maybe(User),
    client: maybe(Client),
    agent: maybe(Agent),
    resource: maybe(Resource),
    accesses: Type.Integer({ minimum: 1 }),
    operations: Type.Object({ read: Count, write: Count, delete: Count, export: Count, admin: Count }, strict),
    records: Count,
    bytes: Count,
    first: Time,
    last: Time,
  },
  {
    ...strict,
    description:
      'A run of uses of one client and resource with the same outcome. A run ends at the end of its hour or day, and at every rule, account or connection line. `at` and `index` are of the last use. `user` and `agent` are null if the run has several or none. `client` is null only for a token of which nobody has said yet whose it is.',
  },
);
const Grant = Type.Object(
  {
    ...line('grant'),
    what: Type.Enum(['granted', 'grew'], {
      description: 'granted: users received the grant; grew: grants gained scopes or an agent.',
    }),
    user: maybe(User),
    client: Client,
    agent: maybe(Agent),
    resource: Resource,
    grants: Type.Integer({ minimum: 1 }),
    scopes_added: Scopes,
    first: Time,
    last: Time,
  },
  {
    ...strict,
    description:
      'Grants of one client and resource that became known within one hour or day. `at` is the arrival of the last one. `user` and `agent` are null if the line has several or none.',
  },
);
const Rule = Type.Object(
  {
    ...line('rule'),
    index: maybe(Index),
    what: Type.Enum(['ordered', 'lifted', 'expired', 'enabled'], {
      description:
        'lifted: by an order. expired: `until` was reached, which no entry records. enabled: the source that had ordered the block enabled its subject again.',
    }),
    rule: Type.String(),
    effect: Type.Enum(['block', 'revoke']),
    selector: Type.Record(Type.String(), Type.Unknown()),
    reason: Type.String(),
    resumes: Type.Boolean({
      description: 'whether tokens that were granted before work again from here on; false on an order',
    }),
    by: Type.Object(Author.properties, { ...strict, description: 'the author of the order or of the lift' }),
  },
  {
    ...strict,
    description:
      'A moment in the life of a rule that names the entity under any of its names, one of its sessions, its issuer alone, or everything. For a user also: a rule that names nothing but clients, agents, types of agents, resources and issuers of its grants. For a token: a rule that names nothing but what the token and its lineage state.',
  },
);
const Account = Type.Object(
  { ...said('account'), sid: Word },
  { ...strict, description: 'An IdP enabled or disabled the user or client, or ended sessions.' },
);
const Connection = Type.Object(
  { ...said('connection'), scope: Word },
  { ...strict, description: 'An IdP’s administrator approved, changed or removed a connection.' },
);
const Denial = Type.Object(
  { ...said('denial'), scope: Word, error: Word, reason: Word, sid: Word },
  { ...strict, description: 'An ID-JAG or a token was refused. It is found by the names that the refusal states.' },
);
const Conflict = Type.Object(
  {
    ...line('conflict'),
    of: Type.Enum(['token', 'id_jag']),
    id: TokenId,
    user: maybe(User),
    client: Client,
  },
  { ...strict, description: 'An event contradicted what is recorded of a token or ID-JAG, which is not active since.' },
);
const Refusal = Type.Object(
  {
    kind: Type.Literal('refusal'),
    at: Time,
    index: Type.Null(),
    token: TokenId,
    source: Source,
    user: maybe(User),
    client: Client,
    reason: Type.String(),
    member: maybe(Type.String({ description: 'the member in which the text differs' })),
    says: Type.String(),
  },
  {
    ...strict,
    description:
      'Introspection answered that a recorded token is not active. It remembers the last time and reason of up to 64 tokens of each source and reason, so not every refusal shows.',
  },
);
const Issued = Type.Object(
  {
    ...line('issued'),
    of: Type.Enum(['token', 'id_jag']),
    id: TokenId,
    source: Source,
    user: maybe(User),
    client: Client,
    agent: maybe(Agent),
    resources: Type.Array(Resource),
    scope: Word,
  },
  {
    ...strict,
    description:
      'The token, or a token or ID-JAG that it came from, was issued. `index` is the entry that says so, which may come later than uses.',
  },
);
const Name = Type.Object(
  {
    ...line('name'),
    user: maybe(User),
    client: maybe(Client),
    agent: maybe(Agent),
    resource: maybe(Resource),
  },
  {
    ...strict,
    description:
      'One of the names of the entity was first seen. `at` is the arrival of the entry that names it. The kind of the entity has its name, the others are null.',
  },
);

export const TimelineItem = Type.Union([
  Use,
  Grant,
  Rule,
  Account,
  Connection,
  Denial,
  Conflict,
  Refusal,
  Issued,
  Name,
]);
export const TimelinePage = page(TimelineItem);

nameSchemas({ TimelineItem, TimelinePage });

export type TimelineItem = Static<typeof TimelineItem>;
export type TimelinePage = Static<typeof TimelinePage>;
