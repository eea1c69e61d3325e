import type { Version } from '../versions.js';

/** An edge of the graph: a client and a resource of a tenant. */
export interface Edge {
  readonly tenant: string;
  readonly client: number;
  readonly res: number;
}

export interface GrantState {
  /** Sorted. Scopes only grow: an ID-JAG with fewer scopes removes none. */
  readonly scopes: readonly string[];
  readonly agent: number | null;
}

/** The rows that the versions beginning in a batch add to their edges. Each grant, scope and agent occurs once, with its first index. */
export interface EdgeWrites {
  /** `more`: new grants of the edge in this batch up to this one, included. */
  readonly grants: readonly (Edge & { readonly ix: bigint; readonly more: number })[];
  readonly scopes: readonly (Edge & { readonly scope: string; readonly ix: bigint })[];
  readonly agents: readonly (Edge & { readonly agent: number; readonly ix: bigint })[];
}

/** Sums the opened versions by edge. `before` has the versions that were open when the batch began: a grant that is not in it is new. */
export function sumEdges(
  opened: readonly Version<GrantState>[],
  before: ReadonlyMap<string, Version<GrantState>>,
  edgeOf: (key: string) => Edge,
): EdgeWrites {
  const grants = new Map<string, EdgeWrites['grants'][number]>();
  const more = new Map<string, number>();
  const scopes: EdgeWrites['scopes'][number][] = [];
  /** Scopes of each edge that are already in `scopes`. */
  const named = new Map<string, Set<string>>();
  const agents = new Map<string, EdgeWrites['agents'][number]>();
  /** Scopes and agent of each grant in the versions walked so far. */
  const reached = new Map(
    [...before].map(([key, { state }]) => [key, { scopes: new Set(state.scopes), agent: state.agent }]),
  );
  for (const { key, from: ix, state } of [...opened].sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0))) {
    const edge = edgeOf(key);
    const name = `${edge.tenant}|${edge.client}|${edge.res}`;
    let held = reached.get(key);
    if (held === undefined) {
      reached.set(key, (held = { scopes: new Set(), agent: null }));
      more.set(name, (more.get(name) ?? 0) + 1);
      grants.set(`${name}|${ix}`, { ...edge, ix, more: more.get(name)! });
    }
    let ofEdge = named.get(name);
    if (ofEdge === undefined) named.set(name, (ofEdge = new Set()));
    for (const scope of state.scopes) {
      if (held.scopes.has(scope)) continue;
      held.scopes.add(scope);
      if (ofEdge.has(scope)) continue;
      ofEdge.add(scope);
      scopes.push({ tenant: edge.tenant, client: edge.client, res: edge.res, scope, ix });
    }
    const { agent } = state;
    if (agent !== null && agent !== held.agent && !agents.has(`${name}|${agent}`))
      agents.set(`${name}|${agent}`, { ...edge, agent, ix });
    held.agent = agent;
  }
  return { grants: [...grants.values()], scopes, agents: [...agents.values()] };
}
