import { Type, type Static } from 'typebox';
import { nameSchemas } from '../../contracts/index.js';
import { Agent, Client, Count, EntityId, maybe, one, Resource, Scopes, strict, timeThat } from '../ask/answer-parts.js';

export const CELL_STATES = ['used', 'dormant', 'denied', 'granted'] as const;

const Team = maybe(Type.String({ description: 'as the directory says now' }));

export const MatrixCell = Type.Object(
  {
    client: EntityId,
    resource: EntityId,
    agents: Type.Array(EntityId, { description: 'agents that act as the client at the resource' }),
    state: Type.Enum([...CELL_STATES], {
      description:
        '`used`: allowed since `used_since`; `dormant`: allowed, and not since then; `denied`: every access was denied; `granted`: there was no access',
    }),
    connection: Type.Enum(['created', 'observed', 'deleted', 'unrecorded'], {
      description: 'state of the connection at the IdP; observed: it was only seen in an ID-JAG',
    }),
    grants: Type.Integer({ minimum: 0, description: 'number of users who hold a grant' }),
    accesses: Count,
    allowed: Count,
    denied: Count,
    last_used: maybe(timeThat('end of the last allowed use; null: it was never used')),
    granted_scopes: Scopes,
    used_scopes: Scopes,
    unused_scopes: Type.Array(Type.String(), { description: 'scopes that are granted and were never used' }),
  },
  { ...strict, description: 'a client, as shown, at a resource' },
);

export const MatrixAnswer = one({
  used_since: timeThat('time that separates `used` from `dormant`'),
  clients: Type.Array(Type.Object({ client: Client, team: Team }, strict)),
  agents: Type.Array(
    Type.Object(
      {
        agent: Agent,
        type: maybe(Type.String({ description: 'the type that the agent’s newest token states' })),
        team: Team,
      },
      strict,
    ),
  ),
  resources: Type.Array(Type.Object({ resource: Resource, team: Team }, strict)),
  cells: Type.Array(MatrixCell, { description: 'the busiest first' }),
  total: Type.Object(
    { cells: Count, used: Count, dormant: Count, denied: Count, granted: Count, grants: Count, accesses: Count },
    { ...strict, description: 'all cells, the cells of each state, and the sums of their `grants` and `accesses`' },
  ),
});

nameSchemas({ MatrixCell, MatrixAnswer });

export type MatrixCell = Static<typeof MatrixCell>;
export type MatrixAnswer = Static<typeof MatrixAnswer>;
