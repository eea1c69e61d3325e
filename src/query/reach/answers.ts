import { nameSchemas, SELECTOR_MEMBERS } from '../../contracts/index.js';
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
        description: 'at most 50, those with the most grants first',
      }),
      left_out: Count,
      ...lowerBound,
    },
    strict,
  );

const volumes = { allowed: Count, denied: Count, records: Count, bytes: Count, ...lowerBound };

const Selector = Type.Record(Type.String(), Type.Unknown(), {
  description: 'a selector in the form that `POST /v1/revocations` takes',
});

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
  {
    ...strict,
    description: 'The answer of `POST /v1/revocations/preview` about this rule. It is about now, whatever `as_of` is.',
  },
);

export const BlastAnswer = one({
  start: Type.Object(
    {
      kind: Type.Enum([...SELECTOR_MEMBERS]),
      selector: Selector,
      other_names: Type.Array(
        Type.Object(
          {
            entity: EntityId,
            name: Type.Union([User, Client]),
            covered: Type.Boolean({
              description:
                'false: others have this name too, or it is the IdP’s name for something that was asked for by its name at a RAS. Ask about this name by itself.',
            }),
          },
          strict,
        ),
        { description: 'other names that one event states together with the name that was asked for' },
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
    { ...strict, description: 'standing grants that belong to it, or that stand behind its live tokens' },
  ),
  tokens: Type.Object(
    {
      live: Type.Integer({
        minimum: 0,
        description:
          'tokens that are neither expired nor stopped by a rule, including refresh tokens and tokens that came from other tokens',
      }),
      stopped: Type.Integer({ minimum: 0, description: 'tokens that are not expired and that a rule stops' }),
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
        { description: 'the newest live tokens, at most 50' },
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
            description: 'the most used resources, at most 50',
          }),
          left_out: Count,
          ...lowerBound,
        },
        strict,
      ),
    },
    { ...strict, description: '`records` and `bytes` count allowed uses only' },
  ),
  rules: Type.Array(
    Type.Object(
      {
        order: Type.Object(
          { selector: Selector, effect: Type.Enum(['block', 'revoke']) },
          {
            ...strict,
            description: 'Body for `POST /v1/revocations`. Add a `reason`: without one the order is refused.',
          },
        ),
        live_tokens: Type.Integer({
          minimum: 0,
          description: 'tokens of this answer that no earlier rule in this list stops',
        }),
        ...lowerBound,
        preview: maybe(Preview),
      },
      strict,
    ),
    {
      description:
        'Rules, mostly one, that together stop exactly what is reached. `preview` is null if it was not asked for, took too long, or the rule alone stops nothing.',
    },
  ),
});
nameSchemas({ BlastAnswer });

export type BlastAnswer = Static<typeof BlastAnswer>;
