import type { GraphAnswer, GraphEdge, GraphNode } from './answers.js';
import type { Names } from './names.pg.js';

/** A picture of more cannot be read. */
export const MAX_GRAPH_NODES = 200;
/** Of these, what stays free for users however many clients and resources there are. */
const NODES_FOR_USERS = 50;

export interface ReachedPair {
  readonly client: number;
  readonly res: number;
  readonly grants: number;
  readonly accesses: number;
  readonly allowed: number;
  readonly last: number | null;
  readonly state: 'created' | 'observed' | 'deleted' | 'unrecorded';
  readonly agents: readonly number[];
}

export interface HeldGrant {
  readonly usr: number;
  readonly client: number;
  readonly resources: number;
}

export interface Picture {
  /** Most important first. */
  readonly pairs: readonly ReachedPair[];
  /** A user's grants stand together; the most important user first. */
  readonly grants: readonly HeldGrant[];
  /** Users there are in all, shown or not. */
  readonly users: number;
  readonly names: Names;
  readonly disabled: ReadonlySet<number>;
}

/** Draws what fits into {@link MAX_GRAPH_NODES}: whole connections first, then users, and counts what does not. */
export function drawGraph(picture: Picture): Omit<GraphAnswer, 'as_of'> {
  const nodes = new Map<string, GraphNode>();
  const edges: GraphEdge[] = [];
  const canvas = createCanvas(nodes, picture);

  const roomForApplications = MAX_GRAPH_NODES - (picture.users > 0 ? NODES_FOR_USERS : 0);
  for (const pair of picture.pairs) {
    const added = [canvas.client(pair.client), canvas.resource(pair.res), ...pair.agents.map(canvas.agent)].flat();
    if (!canvas.fits(added, roomForApplications)) continue;
    canvas.add(added);
    edges.push(connectionEdge(pair));
    for (const agent of pair.agents) pushOnce(edges, { type: 'agent', from: String(agent), to: String(pair.client) });
  }
  const shown = new Set<number>();
  for (const grant of picture.grants) {
    if (!nodes.has(String(grant.client))) continue;
    const added = canvas.user(grant.usr);
    if (!canvas.fits(added, MAX_GRAPH_NODES)) continue;
    canvas.add(added);
    shown.add(grant.usr);
    edges.push({ type: 'grant', from: String(grant.usr), to: String(grant.client), resources: grant.resources });
  }
  return { nodes: [...nodes.values()], edges, left_out: leftOut(picture, nodes, edges, shown) };
}

function createCanvas(nodes: Map<string, GraphNode>, { names, disabled }: Picture) {
  const state = (id: number) => (disabled.has(id) ? { disabled: true as const } : {});
  const withIssuer = (iss: string, node: GraphNode): GraphNode[] => [
    { ...node, issuer: `issuer:${iss}` },
    { id: `issuer:${iss}`, type: 'issuer', name: iss },
  ];
  return {
    client(id: number): GraphNode[] {
      const { iss, client_id } = names.client(id);
      return withIssuer(iss, { id: String(id), type: 'client', name: client_id, ...state(id) });
    },
    agent(id: number): GraphNode[] {
      const { iss, id: name } = names.agent(id);
      return withIssuer(iss, { id: String(id), type: 'agent', name });
    },
    user(id: number): GraphNode[] {
      const { iss, tenant, sub } = names.user(id);
      return withIssuer(iss, { id: String(id), type: 'user', name: sub, ...(tenant === undefined ? {} : { tenant }), ...state(id) });
    },
    resource: (id: number): GraphNode[] => [{ id: String(id), type: 'resource', name: names.resource(id).uri }],
    fits: (added: readonly GraphNode[], room: number): boolean =>
      nodes.size + new Set(added.map(({ id }) => id).filter((id) => !nodes.has(id))).size <= room,
    add(added: readonly GraphNode[]): void {
      for (const node of added) nodes.set(node.id, node);
    },
  };
}

const connectionEdge = (pair: ReachedPair): GraphEdge => ({
  type: 'connection',
  from: String(pair.client),
  to: String(pair.res),
  state: pair.state,
  grants: pair.grants,
  accesses: pair.accesses,
  allowed: pair.allowed,
  denied: pair.accesses - pair.allowed,
  last_access: pair.last,
});

function pushOnce(edges: GraphEdge[], edge: GraphEdge): void {
  if (!edges.some((known) => known.type === edge.type && known.from === edge.from && known.to === edge.to)) edges.push(edge);
}

function leftOut(picture: Picture, nodes: ReadonlyMap<string, GraphNode>, edges: readonly GraphEdge[], shownUsers: ReadonlySet<number>) {
  const missing = (ids: readonly number[]): number => [...new Set(ids)].filter((id) => !nodes.has(String(id))).length;
  return {
    users: picture.users - shownUsers.size,
    clients: missing(picture.pairs.map(({ client }) => client)),
    resources: missing(picture.pairs.map(({ res }) => res)),
    agents: missing(picture.pairs.flatMap(({ agents }) => agents)),
    connections: picture.pairs.length - edges.filter(({ type }) => type === 'connection').length,
  };
}
