import { expect, it } from '@jest/globals';
import { drawGraph, type GraphAnswer } from './drawn.js';

const NONE = { users: 0, clients: 0, resources: 0, agents: 0, connections: 0 };
const iss = 'issuer:https://idp.example';
type Node = GraphAnswer['nodes'][number];
const node = (type: Node['type'], id: number | string, more: Partial<Node> = {}): Node => ({
  id: String(id),
  type,
  name: `${type} ${id}`,
  issuer: iss,
  ...more,
});
const connection = (from: number, to: number): GraphAnswer['edges'][number] => ({
  type: 'connection',
  from: String(from),
  to: String(to),
  state: 'created',
  first_seen: { index: '1', at: '2026-12-01T00:00:00Z' },
  grants: 1,
  accesses: 0,
  allowed: 0,
  denied: 0,
  first_access: null,
  last_access: null,
  approved_scopes: [],
  granted_scopes: [],
  used_scopes: [],
  unused_scopes: [],
});
const grant = (from: number, to: number) => ({
  type: 'grant' as const,
  from: String(from),
  to: String(to),
  resources: 1,
});
const answerOf = (nodes: Node[], edges: GraphAnswer['edges'], left: Partial<typeof NONE> = {}): GraphAnswer => ({
  as_of: { index: '1', at: '2026-12-01T00:00:00Z' },
  fold: 'users',
  nodes: [...nodes, node('issuer', iss)],
  edges,
  left_out: { ...NONE, ...left },
});
const wordsOf = ({ nodes }: ReturnType<typeof drawGraph>): string[] =>
  nodes.flatMap((one) => ('words' in one ? [one.words] : []));

it('draws the users of each team as one node, within the room, and folds none beside them', () => {
  const teams = Array.from({ length: 50 }, (_, nth) =>
    node('team', `team:${nth === 0 ? '' : nth}`, { name: nth === 0 ? '' : `T${nth}`, users: nth + 1 }),
  );
  const answer: GraphAnswer = {
    ...MANY,
    fold: 'teams',
    nodes: [...teams, ...MANY.nodes],
    edges: [...MANY.edges, { type: 'grant', from: 'team:1', to: '1', resources: 1, users: 2 }],
    left_out: { ...NONE, users: 9, teams: 3 },
  };
  const graph = drawGraph(answer, { room: 200 });
  expect(graph.nodes.length).toBeLessThanOrEqual(200);
  expect(graph.nodes.filter((one) => 'fold' in one && one.fold === 'team')).toHaveLength(50);
  expect(graph.nodes.some((one) => 'fold' in one && one.fold === 'users')).toBe(false);
  expect(wordsOf(graph)).toEqual(expect.arrayContaining(['1 user without a team', '2 users', '+ 9 users in 3 teams']));
  expect(graph.edges).toContainEqual({ type: 'grant', from: 'team:1', to: '1', resources: 1, users: 2 });
});

const MANY = answerOf(
  [
    ...Array.from({ length: 150 }, (_, nth) => node('client', nth + 1, { users: 312 })),
    ...Array.from({ length: 40 }, (_, nth) => node('resource', nth + 1001)),
    node('agent', 2001),
  ],
  [
    ...Array.from({ length: 150 }, (_, nth) => connection(nth + 1, 1001 + (nth % 40))),
    { type: 'agent', from: '2001', to: '1' },
  ],
  { clients: 7 },
);

it('never draws more nodes than there is room for, and folds the others', () => {
  for (const room of [20, 48, 200]) {
    const graph = drawGraph(MANY, { room });
    expect(graph.nodes.length).toBeLessThanOrEqual(room);
    const clients = graph.nodes.filter((one) => 'entity' in one && one.entity.kind === 'client').length;
    expect(wordsOf(graph)).toContain(`+ ${157 - clients} clients`);
    expect(wordsOf(graph).filter((words) => words === '+ 312 users')).toHaveLength(clients);
    const ids = new Set(graph.nodes.map(({ id }) => id));
    for (const { from, to } of graph.edges) expect([ids.has(from), ids.has(to)]).toEqual([true, true]);
  }
});

it('puts users before agents, agents before clients, and clients before resources', () => {
  const { nodes } = drawGraph(MANY, { room: 20 });
  const layers = new Map(nodes.map(({ id, layer }) => [id, layer]));
  expect(['users 1', '2001', '1', '1001'].map((id) => layers.get(id))).toEqual([0, 1, 2, 3]);
});

it('draws the users of a client that is unfolded, and folds those that do not come', () => {
  const base = answerOf([node('client', 1, { users: 5 }), node('resource', 11)], [connection(1, 11)]);
  expect(wordsOf(drawGraph(base, { room: 200 }))).toEqual(['+ 5 users']);
  const users = [21, 22, 23].map((id) => node('user', id));
  const around = answerOf([...base.nodes, ...users], [connection(1, 11), ...[21, 22, 23].map((id) => grant(id, 1))]);
  const unfolded = new Map([[1, around]]);
  const graph = drawGraph(base, { room: 200, unfolded });
  expect(graph.nodes.filter((one) => 'entity' in one && one.entity.kind === 'user')).toHaveLength(3);
  expect(wordsOf(graph)).toEqual(['+ 2 users']);
});

it('leaves room for the users of a client that is unfolded', () => {
  const users = Array.from({ length: 120 }, (_, nth) => node('user', nth + 3001));
  const around = answerOf(
    [...MANY.nodes, ...users],
    [connection(1, 1001), ...users.map(({ id }) => grant(Number(id), 1))],
  );
  const { nodes } = drawGraph(MANY, { room: 200, unfolded: new Map([[1, around]]) });
  expect(nodes.filter((one) => 'entity' in one && one.entity.kind === 'user')).toHaveLength(120);
  expect(nodes.length).toBeLessThanOrEqual(200);
});

it('draws an entity without a connection alone', () => {
  expect(drawGraph(answerOf([node('resource', 11)], []), { room: 48 }).nodes.map(({ id }) => id)).toEqual(['11']);
});
