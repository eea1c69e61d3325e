import { nameSchemas } from '../../contracts/index.js';
import { Type, type Static } from 'typebox';
import { Count, Index, lowerBound, maybe, one, Scopes, strict, Time } from '../ask/answer-parts.js';

const NodeId = Type.String({ description: 'id of an entity, or `issuer:` and its name' });
const Seen = Type.Object(
  { index: Index, at: Time },
  { ...strict, description: 'the first entry that names it, and its arrival' },
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
    type: Type.Enum(['user', 'client', 'agent', 'resource', 'issuer']),
    name: Type.String({ description: 'sub, client_id, id or URI' }),
    issuer: Type.Optional(NodeId),
    tenant: Type.Optional(Type.String()),
    disabled: Type.Optional(Type.Literal(true)),
    first_seen: Type.Optional(Seen),
    users: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'of a client: who hold a grant of it, at any resource; of an issuer: who hold a grant at all',
      }),
    ),
    connections: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'of a client: resources that it reaches; of a resource: clients that reach it',
      }),
    ),
    grants: Type.Optional(Count),
    accesses: Type.Optional(Count),
    ...lowerBound,
  },
  {
    ...strict,
    description: 'counts are those of the pairs of client and resource that the filters leave, drawn or not',
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
      grants: Type.Integer({ minimum: 0, description: 'users who hold a grant' }),
      ...uses,
      approved_scopes: Type.Array(Type.String(), {
        description:
          'of the connection, as the IdP or its ID-JAGs say; a last one `…` stands for further ones, which are not kept',
      }),
      granted_scopes: Type.Array(Type.String(), {
        description: 'that any of the grants holds; `…` stands for further ones of a grant, which are not kept',
      }),
      used_scopes: Scopes,
      unused_scopes: Type.Array(Type.String(), { description: 'granted and never used' }),
    },
    { ...strict, description: 'client to resource' },
  ),
  Type.Object(
    { type: Type.Literal('grant'), from: NodeId, to: NodeId, resources: Count },
    { ...strict, description: 'user to client' },
  ),
  Type.Object(
    { type: Type.Literal('agent'), from: NodeId, to: NodeId },
    { ...strict, description: 'agent to the client it acts as' },
  ),
]);

export const GraphAnswer = one({
  fold: Type.Enum(['users', 'none'], {
    description: 'users: they are counted on clients and issuers; none: they are nodes',
  }),
  nodes: Type.Array(GraphNode),
  edges: Type.Array(GraphEdge),
  left_out: Type.Object(
    { users: Count, clients: Count, resources: Count, agents: Count, connections: Count, ...lowerBound },
    {
      ...strict,
      description:
        'what there is beyond the nodes and connections of the answer; of a neighbourhood, as far as its depth; folded users are not left out',
    },
  ),
});

nameSchemas({ GraphNode, GraphAnswer });

export type GraphNode = Static<typeof GraphNode>;
export type GraphEdge = Static<typeof GraphEdge>;
export type GraphAnswer = Static<typeof GraphAnswer>;
