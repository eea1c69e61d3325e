import { orNull, readDisplayNames } from '../ask/names.pg.js';
import { timeText } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import type { Snapshot } from '../../projections/index.js';
import { isCut } from '../ask/answer-parts.js';
import { scopesOf } from '../ask/usage.js';
import type { GraphAnswer, GraphEdge, GraphNode } from './answers.js';
import type { Drawing, TeamReach } from './canvas.js';
import { readFirstSeen } from './entities.pg.js';
import { joinDetails, type PairDetails, type PairsDetails, type ShownPair } from './pairs.js';

const NODES = { name: 'graph-nodes', text: loadSql(import.meta.url, 'nodes.sql') };

interface Known {
  readonly detailsOf: PairsDetails;
  /** True if some walk over grants stopped before it had seen all. */
  readonly grantsCut: boolean;
}

/** Describes a drawing: counts of all pairs, drawn or not, and the first entry that shows each thing. */
export async function describeDrawing(
  snapshot: Snapshot,
  { fold = 'none', nodes, pairs: drawn, grants, teams = [], left_out }: Drawing,
  pairs: readonly ShownPair[],
  { detailsOf, grantsCut }: Known,
): Promise<Pick<GraphAnswer, 'fold' | 'nodes' | 'edges' | 'left_out'>> {
  const entities = nodes.filter(({ type }) => type !== 'issuer').map(({ id }) => Number(id));
  const [{ users, disabled }, firstSeen, displayNames] = await Promise.all([
    readNodes(snapshot, nodes),
    readFirstSeen(snapshot, entities),
    readDisplayNames(snapshot, entities),
  ]);
  const sums = sumNodes(pairs);
  return {
    fold,
    nodes: [
      ...nodes.map((node) => ({
        ...node,
        ...(displayNames.has(Number(node.id)) ? { display_name: displayNames.get(Number(node.id))! } : {}),
        ...(disabled.has(node.id) ? { disabled: true as const } : {}),
        ...(node.type === 'issuer' ? {} : { first_seen: firstSeen(Number(node.id)) }),
        ...(node.type === 'client' || node.type === 'issuer' ? { users: users.get(node.id) ?? 0 } : {}),
        ...(node.type === 'client' || node.type === 'resource' ? sums(Number(node.id)) : {}),
      })),
      ...teams.map(teamNode),
    ],
    edges: [
      ...drawn.map((pair) =>
        connectionEdge(pair, joinDetails(pair.rasClients.map((client) => detailsOf({ client, res: pair.res })))),
      ),
      ...agentEdges(pairs, nodes),
      ...grants.map(
        ({ usr, client, resources }): GraphEdge => ({
          type: 'grant',
          from: String(usr),
          to: String(client),
          resources,
        }),
      ),
      ...teams.flatMap((team) => teamEdges(team, nodes)),
    ],
    left_out: { ...left_out, ...isCut(grantsCut) },
  };
}

const teamId = ({ team }: TeamReach): string => `team:${team ?? ''}`;
const teamNode = (reach: TeamReach): GraphNode => ({
  id: teamId(reach),
  type: 'team',
  name: reach.team ?? '',
  users: reach.users,
});

function teamEdges(reach: TeamReach, nodes: readonly GraphNode[]): GraphEdge[] {
  const drawn = new Set(nodes.map(({ id }) => id));
  return reach.clients
    .map(({ client, ...counts }) => ({ type: 'grant' as const, from: teamId(reach), to: String(client), ...counts }))
    .filter(({ to }) => drawn.has(to));
}

interface NodeRow {
  readonly [column: string]: unknown;
  readonly node: string;
  readonly users: string | null;
  readonly disabled: boolean;
}

async function readNodes(snapshot: Snapshot, nodes: readonly GraphNode[]) {
  const ids = (...types: GraphNode['type'][]): string[] =>
    nodes.filter(({ type }) => types.includes(type)).map(({ id }) => id);
  const rows = await snapshot.rows<NodeRow>(NODES, [
    String(snapshot.index),
    ids('client'),
    nodes.filter(({ type }) => type === 'issuer').map(({ name }) => name),
    ids('user', 'client'),
  ]);
  return {
    users: new Map(rows.flatMap(({ node, users }) => (users === null ? [] : [[node, Number(users)] as const]))),
    disabled: new Set(rows.filter(({ disabled }) => disabled).map(({ node }) => node)),
  };
}

interface NodeSums {
  connections: number;
  grants: number;
  accesses: number;
  at_least?: true;
}
const NONE: NodeSums = { connections: 0, grants: 0, accesses: 0 };

function sumNodes(pairs: readonly ShownPair[]): (id: number) => Readonly<NodeSums> {
  const sums = new Map<number, NodeSums>();
  for (const { client, res, grants, use } of pairs) {
    for (const id of [client, res]) {
      let sum = sums.get(id);
      if (!sum) sums.set(id, (sum = { ...NONE }));
      sum.connections++;
      sum.grants += grants;
      sum.accesses += use.accesses;
      if (use.cut) sum.at_least = true;
    }
  }
  return (id) => sums.get(id) ?? NONE;
}

function connectionEdge(
  { client, res, firstIx, firstAt, grants, use }: ShownPair,
  { state, approved, granted, used }: PairDetails,
): GraphEdge {
  return {
    type: 'connection',
    from: String(client),
    to: String(res),
    state,
    first_seen: { index: String(firstIx), at: timeText(firstAt) },
    grants,
    accesses: use.accesses,
    allowed: use.allowed,
    denied: use.accesses - use.allowed,
    first_access: orNull(use.first, timeText),
    last_access: orNull(use.last, timeText),
    ...isCut(use.cut),
    approved_scopes: [...approved],
    ...scopesOf(granted, used),
  };
}

function agentEdges(pairs: readonly ShownPair[], nodes: readonly GraphNode[]): GraphEdge[] {
  const agents = new Set(nodes.filter(({ type }) => type === 'agent').map(({ id }) => Number(id)));
  const clients = new Set(nodes.filter(({ type }) => type === 'client').map(({ id }) => Number(id)));
  const edges = new Map<string, GraphEdge>();
  if (agents.size === 0) return [];
  for (const { client, agents: acting } of pairs) {
    if (acting.length === 0 || !clients.has(client)) continue;
    for (const agent of acting) {
      if (agents.has(agent))
        edges.set(`${agent} ${client}`, { type: 'agent', from: String(agent), to: String(client) });
    }
  }
  return [...edges.values()];
}
