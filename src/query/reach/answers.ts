import { nameSchemas } from '../../contracts/index.js';
import { Type, type Static, type TSchema } from 'typebox';
import {
  Agent,
  Client,
  Count,
  EntityId,
  Index,
  lowerBound,
  maybe,
  one,
  Resource,
  strict,
  Time,
  TokenId,
  User,
} from '../ask/answer-parts.js';

const group = <T extends TSchema>(item: T) =>
  Type.Object(
    {
      count: Count,
      top: Type.Array(Type.Object({ item, grants: Count, live_tokens: Count, ...lowerBound }, strict), {
        description: 'those with the most grants, at most 50',
      }),
      left_out: Count,
      ...lowerBound,
    },
    strict,
  );

const volumes = { allowed: Count, denied: Count, records: Count, bytes: Count, ...lowerBound };

const Selector = Type.Record(Type.String(), Type.Unknown(), { description: 'as POST /v1/revocations takes it' });

const Preview = Type.Object(
  {
    as_of: Type.Object({ index: Index }, strict),
    tokens: Count,
    used_in_last_hour: Count,
    users: Count,
    grants: Count,
    connections: Count,
    ...lowerBound,
  },
  { ...strict, description: 'what POST /v1/revocations/preview says of it: of now, whatever as_of is' },
);

export const BlastAnswer = one({
  start: Type.Object(
    {
      kind: Type.Enum(['user', 'client', 'agent', 'agent_type', 'session', 'id_jag', 'token', 'resource', 'issuer']),
      selector: Selector,
      other_names: Type.Array(
        Type.Object(
          {
            entity: EntityId,
            name: Type.Union([User, Client]),
            covered: Type.Boolean({
              description:
                'false: others have this name too, or it is the name at the IdP of what was asked for by a name of a RAS; ask for it by itself',
            }),
          },
          strict,
        ),
        { description: 'names that one event states together with this one' },
      ),
    },
    strict,
  ),
  since: Time,
  reachable: Type.Object(
    { users: group(User), clients: group(Client), agents: group(Agent), resources: group(Resource) },
    strict,
  ),
  grants: Type.Object(
    { count: Count, ...lowerBound },
    { ...strict, description: 'standing ones: of it, or behind its live tokens' },
  ),
  tokens: Type.Object(
    {
      live: Type.Integer({
        minimum: 0,
        description: 'neither expired nor stopped by a rule; refresh tokens and what came of others too',
      }),
      stopped: Type.Integer({ minimum: 0, description: 'not expired, and stopped by a rule' }),
      newest: Type.Array(
        Type.Object(
          {
            id: TokenId,
            index: Index,
            kind: Type.String(),
            user: maybe(User),
            client: Client,
            agent: maybe(Agent),
            resources: Type.Array(Resource),
            issued_at: Time,
            expires_at: maybe(Time),
          },
          strict,
        ),
        { description: 'live ones, at most 50' },
      ),
      left_out: Count,
      ...lowerBound,
    },
    strict,
  ),
  usage: Type.Object(
    {
      uses: Count,
      ...volumes,
      first: maybe(Time),
      last: maybe(Time),
      operations: Type.Array(
        Type.Object(
          { operation: maybe(Type.Enum(['read', 'write', 'delete', 'export', 'admin'])), ...volumes },
          strict,
        ),
      ),
      resources: Type.Object(
        {
          count: Count,
          top: Type.Array(Type.Object({ resource: maybe(Resource), ...volumes, last: Time }, strict), {
            description: 'the most used, at most 50',
          }),
          left_out: Count,
          ...lowerBound,
        },
        strict,
      ),
    },
    { ...strict, description: 'records and bytes are those of allowed uses' },
  ),
  rules: Type.Array(
    Type.Object(
      {
        order: Type.Object(
          { selector: Selector, effect: Type.Enum(['block', 'revoke']) },
          {
            ...strict,
            description: 'body of POST /v1/revocations, to which its `reason` is added: without one it is refused',
          },
        ),
        live_tokens: Type.Integer({
          minimum: 0,
          description: 'of those above, that no rule before it in this list stops',
        }),
        ...lowerBound,
        preview: maybe(Preview),
      },
      strict,
    ),
    {
      description:
        'together they stop what is reached and nothing else; mostly one. `preview` is null where it was not asked for, took too long, or nothing falls by it alone',
    },
  ),
});
nameSchemas({ BlastAnswer });

export type BlastAnswer = Static<typeof BlastAnswer>;
