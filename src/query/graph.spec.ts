import { describe, expect, it } from '@jest/globals';
import { drawGraph, MAX_GRAPH_NODES, type HeldGrant, type ReachedPair } from './graph.js';
import type { Names } from './names.pg.js';

const names: Names = {
  user: (id) => ({ entity: id, iss: 'https://idp.example', sub: `u${id}` }),
  client: (id) => ({ entity: id, iss: 'https://idp.example', client_id: `c${id}` }),
  agent: (id) => ({ entity: id, iss: 'https://idp.example', id: `a${id}` }),
  resource: (id) => ({ entity: id, uri: `https://r${id}.example` }),
  text: String,
};
const used = { grants: 1, accesses: 3, allowed: 2, last: 5, state: 'created' } as const;
const pair = (client: number, res: number, agents: number[] = []): ReachedPair => ({ ...used, client, res, agents });
const draw = (pairs: readonly ReachedPair[], grants: readonly HeldGrant[] = [], users = new Set(grants.map(({ usr }) => usr)).size) =>
  drawGraph({ pairs, grants, users, names, disabled: new Set() });
const range = (from: number, count: number) => Array.from({ length: count }, (_, nth) => from + nth);

describe('drawGraph', () => {
  it('draws everything that fits', () => {
    const { nodes, edges, left_out } = draw([pair(1, 2, [3]), pair(1, 4, [3])], [{ usr: 5, client: 1, resources: 2 }]);
    expect(nodes.map(({ id }) => id).sort()).toEqual(['1', '2', '3', '4', '5', 'issuer:https://idp.example']);
    expect(edges.map(({ type }) => type)).toEqual(['connection', 'agent', 'connection', 'grant']);
    expect(left_out).toEqual({ users: 0, clients: 0, resources: 0, agents: 0, connections: 0 });
  });

  it('keeps to its bound, whole connections first, and counts the rest', () => {
    const pairs = range(1, 400).map((client) => pair(client, 1000 + client));
    const grants = range(2000, 300).map((usr) => ({ usr, client: 1, resources: 1 }));
    const { nodes, edges, left_out } = draw(pairs, grants, 5_000);
    expect(nodes.length).toBeLessThanOrEqual(MAX_GRAPH_NODES);
    const ids = new Set(nodes.map(({ id }) => id));
    for (const edge of edges) expect([ids.has(edge.from), ids.has(edge.to)]).toEqual([true, true]);
    const count = (type: string) => nodes.filter((node) => node.type === type).length;
    const connections = 400 - count('client');
    expect(left_out).toEqual({ users: 5_000 - count('user'), clients: connections, resources: 400 - count('resource'), agents: 0, connections });
    expect(count('user')).toBeGreaterThanOrEqual(50);
  });

  it('lets connections have all the room where there are no users', () => {
    const { nodes } = draw(range(1, 400).map((client) => pair(client, 1000)));
    expect(nodes).toHaveLength(MAX_GRAPH_NODES);
  });

  it('shows no user whose client is not shown', () => {
    const { nodes, left_out } = draw([pair(1, 2)], [{ usr: 5, client: 9, resources: 1 }]);
    expect(nodes.some(({ type }) => type === 'user')).toBe(false);
    expect(left_out.users).toBe(1);
  });
});
