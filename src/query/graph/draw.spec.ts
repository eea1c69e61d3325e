import { describe, expect, it } from '@jest/globals';
import { createSymbols, MAX_GRAPH_CONNECTIONS, MAX_GRAPH_NODES, type HeldGrant } from './canvas.js';
import { drawGraph } from './draw.js';
import { NO_USE, type ShownPair } from './pairs.js';

/** Gives an issuer with either the IdP's tenant and subject or a name: enough for all kinds. */
const partsOf = (id: number): readonly string[] =>
  id >= 1_000 && id < 2_000 ? [`https://r${id}.example`] : ['https://idp.example', `n${id}`, `u${id}`];
const known = {
  firstIx: 0,
  firstAt: 0,
  grants: 1,
  use: { ...NO_USE, accesses: 3, allowed: 2, first: 1, last: 5 },
} as const;
const pair = (client: number, res: number, agents: number[] = []): ShownPair => ({
  ...known,
  client,
  shownAs: client,
  res,
  agents,
  rasClients: [client],
});
const draw = (
  pairs: readonly ShownPair[],
  grants: readonly HeldGrant[] = [],
  users = new Set(grants.map(({ usr }) => usr)).size,
) => drawGraph({ pairs, grants, users }, createSymbols(partsOf));
const range = (from: number, count: number) => Array.from({ length: count }, (_, nth) => from + nth);

describe('drawGraph', () => {
  it('draws everything that fits', () => {
    const { nodes, pairs, grants, left_out } = draw(
      [pair(1, 2, [3]), pair(1, 4, [3])],
      [{ usr: 5, client: 1, resources: 2 }],
    );
    expect(nodes.map(({ id }) => id).sort()).toEqual(['1', '2', '3', '4', '5', 'issuer:https://idp.example']);
    expect([pairs.length, grants.length]).toEqual([2, 1]);
    expect(left_out).toEqual({ users: 0, clients: 0, resources: 0, agents: 0, connections: 0 });
  });

  it('keeps to its bound, whole connections first, and counts the rest', () => {
    const pairs = range(1, 400).map((client) => pair(client, 1000 + client));
    const grants = range(2000, 300).map((usr) => ({ usr, client: 1, resources: 1 }));
    const { nodes, left_out, ...drawn } = draw(pairs, grants, 5_000);
    expect(nodes.length).toBeLessThanOrEqual(MAX_GRAPH_NODES);
    const ids = new Set(nodes.map(({ id }) => id));
    for (const { client, res } of drawn.pairs)
      expect([ids.has(String(client)), ids.has(String(res))]).toEqual([true, true]);
    for (const { client, usr } of drawn.grants)
      expect([ids.has(String(client)), ids.has(String(usr))]).toEqual([true, true]);
    const count = (type: string) => nodes.filter((node) => node.type === type).length;
    const connections = 400 - count('client');
    expect(left_out).toEqual({
      users: 5_000 - count('user'),
      clients: connections,
      resources: 400 - count('resource'),
      agents: 0,
      connections,
    });
    expect(count('user')).toBeGreaterThanOrEqual(50);
  });

  it('lets connections have all the room where there are no users', () => {
    const { nodes } = draw(range(1, 400).map((client) => pair(client, 1000)));
    expect(nodes).toHaveLength(MAX_GRAPH_NODES);
  });

  it('leaves the busiest connections, and each node one', () => {
    const pairs = range(1, 40).flatMap((client) => range(1_000, 20).map((res) => pair(client, res)));
    const { nodes, left_out, pairs: drawn } = draw([...pairs, pair(1, 2_000, [3_000])]);
    expect([drawn.length, left_out.connections]).toEqual([MAX_GRAPH_CONNECTIONS, 801 - MAX_GRAPH_CONNECTIONS]);
    const ends = new Set(drawn.flatMap(({ client, res, agents }) => [client, res, ...agents]).map(String));
    expect(nodes.filter(({ id, type }) => type !== 'issuer' && !ends.has(id))).toEqual([]);
    expect([nodes.length, left_out.clients, left_out.resources]).toEqual([63, 0, 0]);
    expect(drawn.slice(0, 230)).toEqual(pairs.slice(0, 230));
  });

  it('shows no user whose client is not shown', () => {
    const { nodes, left_out } = draw([pair(1, 2)], [{ usr: 5, client: 9, resources: 1 }]);
    expect(nodes.some(({ type }) => type === 'user')).toBe(false);
    expect(left_out.users).toBe(1);
  });
});
