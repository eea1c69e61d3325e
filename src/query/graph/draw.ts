import {
  createCanvas,
  MAX_GRAPH_NODES,
  thinOut,
  type Drawing,
  type HeldGrant,
  type Symbols,
  type TeamReach,
} from './canvas.js';
import type { ShownPair } from './pairs.js';

/** Nodes kept free for users, or for their teams, however many clients and resources there are. */
const NODES_FOR_USERS = 50;

export interface Picture {
  /** Most important first. */
  readonly pairs: readonly ShownPair[];
  /** A user's grants stand together; the most important user comes first. Undefined: users are counted, not drawn. */
  readonly grants: readonly HeldGrant[] | undefined;
  /** Number of users, drawn or not. */
  readonly users: number;
  /** The largest first. Given: users are folded by team. */
  readonly teams?: readonly TeamReach[];
}

/**
 * Draws as much as fits into {@link MAX_GRAPH_NODES}: first applications, by whole connections, then users. {@link
 * thinOut} then keeps the busiest connections. `left_out` counts the rest.
 */
export function drawGraph({ pairs, grants = [], users, teams }: Picture, symbols: Symbols): Drawing {
  const canvas = createCanvas();
  const drawnTeams = teams?.slice(0, NODES_FOR_USERS);
  const roomForApplications = MAX_GRAPH_NODES - (grants.length > 0 ? NODES_FOR_USERS : (drawnTeams?.length ?? 0));
  const isThere = ({ client, res, agents }: ShownPair): boolean =>
    canvas.has(client) && canvas.has(res) && agents.every(canvas.has);
  const fitting = pairs.filter(
    (pair) =>
      isThere(pair) ||
      canvas.draw(
        [...symbols.client(pair.client), ...symbols.resource(pair.res), ...pair.agents.flatMap(symbols.agent)],
        roomForApplications,
      ),
  );
  const drawn = thinOut(fitting, canvas.has);
  const shown = grants.filter(({ usr, client }) => canvas.has(client) && canvas.draw(symbols.user(usr)));
  const missing = (ids: readonly number[]): number => new Set(ids.filter((id) => !canvas.has(id))).size;
  return {
    nodes: canvas.nodes(),
    pairs: drawn,
    grants: shown,
    ...(drawnTeams && { teams: drawnTeams }),
    left_out: {
      users:
        users -
        new Set(shown.map(({ usr }) => usr)).size -
        (drawnTeams ?? []).reduce((sum, { users: inTeam }) => sum + inTeam, 0),
      clients: missing(pairs.map(({ client }) => client)),
      resources: missing(pairs.map(({ res }) => res)),
      agents: missing(pairs.flatMap(({ agents }) => agents)),
      connections: pairs.length - drawn.length,
      ...(teams && { teams: teams.length - drawnTeams!.length }),
    },
  };
}
