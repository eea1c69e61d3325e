import { loadSql } from '../../platform/index.js';
import type { Snapshot } from '../snapshot.pg.js';
import { scopesOf } from '../usage.js';
import type { GraphAnswer, GraphEdge, GraphNode } from './answers.js';
import type { Drawing } from './canvas.js';
import { joinDetails, type PairDetails, type ShownPair } from './pairs.js';
import type { ReadPairs } from './pairs.pg.js';

export const CLIENT_USERS = loadSql(import.meta.url, 'client-users.sql');
const ISSUER_USERS = loadSql(import.meta.url, 'issuer-users.sql');
const FIRST_SEEN = loadSql(import.meta.url, 'first-seen.sql');

/** The drawing in words: with counts of the pairs, drawn or not, and with the first entry that shows each thing. */
export async function describeDrawing(
  snapshot: Snapshot,
  { fold = 'none', nodes, pairs: drawn, grants, left_out }: Drawing & { readonly fold?: GraphAnswer['fold'] },
  pairs: readonly ShownPair[],
  detailsOf: ReadPairs['detailsOf'],
): Promise<Pick<GraphAnswer, 'fold' | 'nodes' | 'edges' | 'left_out'>> {
  const index = String(snapshot.index);
  const issuers = nodes.filter(({ type }) => type === 'issuer').map(({ name }) => name);
  const clientUsers = await snapshot.rows<{ client: number; users: string }>(CLIENT_USERS, [index, idsOf(nodes, 'client')]);
  const issuerUsers = await snapshot.rows<{ iss: string; users: string }>(ISSUER_USERS, [index, issuers]);
  const details = await detailsOf(drawn.flatMap(({ rasClients, res }) => rasClients.map((client) => ({ client, res }))));
  const { firstSeen, seen } = await readSeen(snapshot, nodes.filter(({ type }) => type !== 'issuer').map(({ id }) => Number(id)), drawn.map(({ firstIx }) => String(firstIx)));
  const users = new Map([
    ...clientUsers.map((row) => [String(row.client), Number(row.users)] as const),
    ...issuerUsers.map((row) => [`issuer:${row.iss}`, Number(row.users)] as const),
  ]);
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

const idsOf = (nodes: readonly GraphNode[], type: GraphNode['type']): number[] => nodes.filter((node) => node.type === type).map(({ id }) => Number(id));

interface Seen {
  readonly index: string;
  readonly at: number;
}

async function readSeen(snapshot: Snapshot, ids: readonly number[], indexes: readonly string[]) {
  const rows = await snapshot.rows<{ id: number | null; ix: string; arrival: string }>(FIRST_SEEN, [ids, [...new Set(indexes)]]);
  const seenOf = ({ ix, arrival }: (typeof rows)[number]): Seen => ({ index: ix, at: Math.floor(Number(arrival) / 1000) });
  const entries = new Map(rows.map((row) => [row.ix, seenOf(row)]));
  return {
    firstSeen: new Map(rows.filter(({ id }) => id !== null).map((row) => [String(row.id), seenOf(row)])),
    seen: (index: string): Seen => entries.get(index)!,
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
    for (const agent of agents) {
      if (shown.has(String(agent)) && shown.has(String(client))) edges.set(`${agent} ${client}`, { type: 'agent', from: String(agent), to: String(client) });
    }
  }
  return [...edges.values()];
}
