import { loadSql } from '../../platform/index.js';
import type { Snapshot } from '../snapshot.pg.js';
import { scopesOf } from '../usage.js';
import type { GraphAnswer, GraphEdge, GraphNode } from './answers.js';
import type { Drawing } from './canvas.js';
import { partsOf } from './moment.js';
import type { ShownPair } from './pairs.js';

/** Parameters: `partsOf`, then clients. */
export const CLIENT_USERS = loadSql(import.meta.url, 'client-users.sql');
const ISSUER_USERS = loadSql(import.meta.url, 'issuer-users.sql');
const FIRST_NAMED = 'SELECT id, from_ix FROM entity WHERE tenant = $1 AND id = ANY ($2::int[])';
const ARRIVALS = 'SELECT ix, arrival FROM entry WHERE tenant = $1 AND ix = ANY ($2::bigint[])';

/** The drawing in words: with counts of the pairs, drawn or not, and with the first entry that shows each thing. */
export async function describeDrawing(
  snapshot: Snapshot,
  { fold = 'none', nodes, pairs: drawn, grants, left_out }: Drawing & { readonly fold?: GraphAnswer['fold'] },
  pairs: readonly ShownPair[],
): Promise<Pick<GraphAnswer, 'fold' | 'nodes' | 'edges' | 'left_out'>> {
  const clients = idsOf(nodes, 'client');
  const clientUsers = await snapshot.rows<{ client: number; users: string }>(CLIENT_USERS, [...partsOf(snapshot), clients]);
  const issuerUsers = await snapshot.rows<{ iss: string; users: string }>(ISSUER_USERS, [...partsOf(snapshot)]);
  const named = await snapshot.rows<{ id: number; from_ix: string }>(FIRST_NAMED, [nodes.filter(({ type }) => type !== 'issuer').map(({ id }) => id)]);
  const seen = await readSeen(snapshot, [...named.map(({ from_ix }) => from_ix), ...drawn.map(({ firstIx }) => String(firstIx))]);
  const users = new Map([
    ...clientUsers.map((row) => [String(row.client), Number(row.users)] as const),
    ...issuerUsers.map((row) => [`issuer:${row.iss}`, Number(row.users)] as const),
  ]);
  const firstSeen = new Map(named.map(({ id, from_ix }) => [String(id), seen(from_ix)]));
  const sums = sumNodes(pairs);
  return {
    fold,
    nodes: nodes.map((node) => ({
      ...node,
      ...(firstSeen.has(node.id) ? { first_seen: firstSeen.get(node.id)! } : {}),
      ...(node.type === 'client' || node.type === 'issuer' ? { users: users.get(node.id) ?? 0 } : {}),
      ...(node.type === 'client' || node.type === 'resource' ? (sums.get(node.id) ?? { connections: 0, grants: 0, accesses: 0 }) : {}),
    })),
    edges: [
      ...drawn.map((pair) => connectionEdge(pair, seen(String(pair.firstIx)))),
      ...agentEdges(pairs, nodes),
      ...grants.map(({ usr, client, resources }): GraphEdge => ({ type: 'grant', from: String(usr), to: String(client), resources })),
    ],
    left_out,
  };
}

const idsOf = (nodes: readonly GraphNode[], type: GraphNode['type']): number[] => nodes.filter((node) => node.type === type).map(({ id }) => Number(id));

interface Seen {
  readonly index: string;
  readonly at: number;
}

async function readSeen(snapshot: Snapshot, indexes: readonly string[]): Promise<(index: string) => Seen> {
  const rows = await snapshot.rows<{ ix: string; arrival: string }>(ARRIVALS, [[...new Set(indexes)]]);
  const arrivals = new Map(rows.map(({ ix, arrival }) => [ix, Math.floor(Number(arrival) / 1000)]));
  return (index) => ({ index, at: arrivals.get(index)! });
}

function sumNodes(pairs: readonly ShownPair[]): ReadonlyMap<string, { readonly connections: number; readonly grants: number; readonly accesses: number }> {
  const sums = new Map<string, { connections: number; grants: number; accesses: number }>();
  for (const { client, res, grants, use } of pairs) {
    for (const id of [client, res]) {
      const sum = sums.get(String(id)) ?? { connections: 0, grants: 0, accesses: 0 };
      sums.set(String(id), { connections: sum.connections + 1, grants: sum.grants + grants, accesses: sum.accesses + use.accesses });
    }
  }
  return sums;
}

function connectionEdge({ client, res, state, grants, use, approved, granted, used }: ShownPair, firstSeen: Seen): GraphEdge {
  return {
    type: 'connection',
    from: String(client),
    to: String(res),
    state,
    first_seen: firstSeen,
    grants,
    accesses: use.accesses,
    allowed: use.allowed,
    denied: use.accesses - use.allowed,
    first_access: use.first,
    last_access: use.last,
    approved_scopes: [...approved],
    ...scopesOf(granted, used),
  };
}

function agentEdges(pairs: readonly ShownPair[], nodes: readonly GraphNode[]): GraphEdge[] {
  const shown = new Set(nodes.map(({ id }) => id));
  const edges = new Map<string, GraphEdge>();
  for (const { client, agents } of pairs) {
    for (const agent of agents) {
      if (shown.has(String(agent)) && shown.has(String(client))) edges.set(`${agent} ${client}`, { type: 'agent', from: String(agent), to: String(client) });
    }
  }
  return [...edges.values()];
}
