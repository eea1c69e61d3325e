import { loadSql } from '../../platform/index.js';
import type { Snapshot } from '../snapshot.pg.js';
import { scopesOf } from '../usage.js';
import type { GraphAnswer, GraphEdge, GraphNode } from './answers.js';
import type { Drawing } from './canvas.js';
import { joinDetails, type PairDetails, type ShownPair } from './pairs.js';
import type { ReadPairs } from './pairs.pg.js';

const NODES = loadSql(import.meta.url, 'nodes.sql');

/** The drawing in words: with counts of the pairs, drawn or not, and with the first entry that shows each thing. */
export async function describeDrawing(
  snapshot: Snapshot,
  { fold = 'none', nodes, pairs: drawn, grants, left_out }: Drawing,
  pairs: readonly ShownPair[],
  detailsOf: ReadPairs['detailsOf'],
): Promise<Pick<GraphAnswer, 'fold' | 'nodes' | 'edges' | 'left_out'>> {
  const details = await detailsOf(drawn.flatMap(({ rasClients, res }) => rasClients.map((client) => ({ client, res }))));
  const { ofNode, seen } = await readNodes(snapshot, nodes, drawn);
  const sums = sumNodes(pairs);
  return {
    fold,
    nodes: nodes.map((node) => ({
      ...node,
      ...(ofNode(node)?.disabled ? { disabled: true as const } : {}),
      ...(node.type === 'issuer' ? {} : { first_seen: seen(ofNode(node)!.ix) }),
      ...(node.type === 'client' || node.type === 'issuer' ? { users: Number(ofNode(node)?.users ?? 0) } : {}),
      ...(node.type === 'client' || node.type === 'resource' ? (sums.get(node.id) ?? { connections: 0, grants: 0, accesses: 0 }) : {}),
    })),
    edges: [
      ...drawn.map((pair) => {
        const { rasClients, res, firstIx } = pair;
        return connectionEdge(pair, joinDetails(rasClients.map((client) => details({ client, res }))), seen(String(firstIx)));
      }),
      ...agentEdges(pairs, nodes),
      ...grants.map(({ usr, client, resources }): GraphEdge => ({ type: 'grant', from: String(usr), to: String(client), resources })),
    ],
    left_out,
  };
}

interface Seen {
  readonly index: string;
  readonly at: number;
}

interface NodeRow {
  readonly [column: string]: unknown;
  /** Null: the row is of an entry alone. */
  readonly node: string | null;
  readonly ix: string;
  readonly arrival: string;
  readonly users: string | null;
  readonly disabled: boolean | null;
}

async function readNodes(snapshot: Snapshot, nodes: readonly GraphNode[], drawn: readonly ShownPair[]) {
  const rows = await snapshot.rows<NodeRow>(NODES, [
    String(snapshot.index),
    nodes.filter(({ type }) => type !== 'issuer').map(({ id }) => id),
    nodes.filter(({ type }) => type === 'issuer').map(({ name }) => name),
    [...new Set(drawn.map(({ firstIx }) => String(firstIx)))],
  ]);
  const byNode = new Map(rows.map((row) => [row.node, row]));
  const entries = new Map(rows.map(({ ix, arrival }): [string, Seen] => [ix, { index: ix, at: Math.floor(Number(arrival) / 1000) }]));
  return {
    ofNode: ({ id }: GraphNode): NodeRow | undefined => byNode.get(id),
    seen: (ix: string): Seen => entries.get(ix)!,
  };
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

function connectionEdge({ client, res, grants, use }: ShownPair, { state, approved, granted, used }: PairDetails, firstSeen: Seen): GraphEdge {
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
    if (agents.length === 0 || !shown.has(String(client))) continue;
    for (const agent of agents) {
      if (shown.has(String(agent))) edges.set(`${agent} ${client}`, { type: 'agent', from: String(agent), to: String(client) });
    }
  }
  return [...edges.values()];
}
