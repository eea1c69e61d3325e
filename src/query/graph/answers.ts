import { nameSchemas } from '../../contracts/index.js';
import { Type, type Static } from 'typebox';
import { Count, Index, lowerBound, maybe, one, Scopes, strict, Time } from '../ask/answer-parts.js';

const NodeId = Type.String({
  description:
    'id of an entity, or `issuer:` and the name of an issuer, or `team:` and the name of a team; `team:` alone: users without one',
});
const Seen = Type.Object(
  { index: Index, at: Time },
  { ...strict, description: 'the first ledger entry that names this, and its time of arrival' },
);
const uses = {
  accesses: Count,
  allowed: Count,
  denied: Count,
  first_access: maybe(Time),
  last_access: maybe(Time),
  ...lowerBound,
};

export const GraphNode = Type.Object(
  {
    id: NodeId,
    type: Type.Enum(['user', 'client', 'agent', 'resource', 'issuer', 'team']),
    name: Type.String({ description: 'its own name: `sub`, `client_id`, id or URI; empty: users without a team' }),
    issuer: Type.Optional(NodeId),
    tenant: Type.Optional(Type.String()),
    display_name: Type.Optional(Type.String({ description: 'as the directory says now' })),
    disabled: Type.Optional(Type.Literal(true)),
    first_seen: Type.Optional(Seen),
    users: Type.Optional(
      Type.Integer({
        minimum: 0,
        description:
          'client: users with a grant for it, at any resource; issuer: its users who hold any grant; team: its users who hold a grant of a connection that matches the filters',
      }),
    ),
    connections: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'client: number of resources that it reaches; resource: number of clients that reach it',
      }),
    ),
    grants: Type.Optional(Count),
    accesses: Type.Optional(Count),
    ...lowerBound,
  },
  {
    ...strict,
    description: 'Counts cover all pairs of client and resource that match the filters, drawn or not.',
  },
);

export const GraphEdge = Type.Union([
  Type.Object(
    {
      type: Type.Literal('connection'),
      from: NodeId,
      to: NodeId,
      state: Type.Enum(['created', 'observed', 'deleted', 'unrecorded']),
      first_seen: Seen,
      grants: Type.Integer({ minimum: 0, description: 'number of users who hold a grant' }),
      ...uses,
      approved_scopes: Type.Array(Type.String(), {
        description:
          'Scopes of the connection, as the IdP or its ID-JAGs state them. A last value `…` stands for further scopes, which are not kept.',
      }),
      granted_scopes: Type.Array(Type.String(), {
        description:
          'Scopes that any of the grants has. A value `…` stands for further scopes of a grant, which are not kept.',
      }),
      used_scopes: Scopes,
      unused_scopes: Type.Array(Type.String(), { description: 'scopes that are granted and were never used' }),
    },
    { ...strict, description: 'an edge from a client to a resource' },
  ),
  Type.Object(
    {
      type: Type.Literal('grant'),
      from: NodeId,
      to: NodeId,
      resources: Count,
      users: Type.Optional(
        Type.Integer({ minimum: 1, description: 'users of the team who hold a grant for the client' }),
      ),
    },
    { ...strict, description: 'an edge from a user, or from the users of a team, to a client' },
  ),
  Type.Object(
    { type: Type.Literal('agent'), from: NodeId, to: NodeId },
    { ...strict, description: 'an edge from an agent to the client that it acts as' },
  ),
]);

export const GraphAnswer = one({
  fold: Type.Enum(['users', 'teams', 'none'], {
    description:
      '`users`: users are only counted, on clients and issuers; `teams`: the users of each team of the directory are one node; `none`: users are nodes',
  }),
  nodes: Type.Array(GraphNode),
  edges: Type.Array(GraphEdge),
  left_out: Type.Object(
    {
      users: Count,
      clients: Count,
      resources: Count,
      agents: Count,
      connections: Count,
      teams: Type.Optional(Type.Integer({ minimum: 0, description: 'the smallest ones, with `fold=teams`' })),
      ...lowerBound,
    },
    {
      ...strict,
      description:
        'Numbers of nodes and connections that are not in the answer; with `expand`, only those within `depth`. Folded users do not count as left out.',
    },
  ),
});

nameSchemas({ GraphNode, GraphAnswer });

export type GraphNode = Static<typeof GraphNode>;
export type GraphEdge = Static<typeof GraphEdge>;
export type GraphAnswer = Static<typeof GraphAnswer>;
