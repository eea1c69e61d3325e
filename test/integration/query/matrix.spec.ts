import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startQueryApi, T } from './history.js';
import { AGENT, CRM, IDP, STORY, WIKI } from './story.js';

let api: Awaited<ReturnType<typeof startQueryApi>>;
beforeAll(async () => {
  api = await startQueryApi(STORY);
});
afterAll(() => api.stop());

const get = async (path: string): Promise<any> => {
  const { status, body } = await api.get(path);
  expect({ path, status, body }).toMatchObject({ status: 200 });
  return body;
};
const seen = (cells: readonly any[]): string[] => cells.map((cell) => JSON.stringify(cell)).sort();

describe('GET /v1/matrix', () => {
  it('has a cell for each connection of the graph, with its numbers and agents, at every moment', async () => {
    const head = Number((await get('/v1/matrix')).as_of.index);
    for (let index = 1; index <= head; index += 1) {
      const { edges } = await get(`/v1/graph?fold=users&as_of=${index}`);
      const { cells } = await get(`/v1/matrix?as_of=${index}`);
      const drawn = edges
        .filter(({ type }: any) => type === 'connection')
        .map((edge: any) => ({
          client: Number(edge.from),
          resource: Number(edge.to),
          agents: edges.filter(({ type, to }: any) => type === 'agent' && to === edge.from).length,
          connection: edge.state,
          ...pick(edge),
        }));
      expect(seen(cells.map((cell: any) => ({ ...cell, agents: cell.agents.length })).map(known))).toEqual(seen(drawn));
    }
    expect(head).toBeGreaterThan(10);
  });

  it('names each client, agent and resource of its cells, the agents with their type, and adds up its cells', async () => {
    const { clients, agents, resources, cells, total } = await get('/v1/matrix');
    const idsOf = (all: readonly number[]): number[] => [...new Set(all)].sort((one, other) => one - other);
    expect(clients.map(({ client }: any) => client.entity)).toEqual(idsOf(cells.map((cell: any) => cell.client)));
    expect(resources.map(({ resource }: any) => resource.entity)).toEqual(
      idsOf(cells.map((cell: any) => cell.resource)),
    );
    expect(agents.map(({ agent }: any) => agent.entity)).toEqual(idsOf(cells.flatMap((cell: any) => cell.agents)));
    expect(agents).toMatchObject([{ agent: { iss: IDP, id: AGENT.id }, type: AGENT.type, team: null }]);
    const sum = (of: (cell: any) => number): number => cells.reduce((all: number, cell: any) => all + of(cell), 0);
    expect(total).toEqual({
      cells: cells.length,
      ...Object.fromEntries(
        ['used', 'dormant', 'denied', 'granted'].map((state) => [state, sum((cell) => Number(cell.state === state))]),
      ),
      grants: sum(({ grants }) => grants),
      accesses: sum(({ accesses }) => accesses),
    });
    expect(total.cells).toBeGreaterThan(2);
  });

  it('tells used, dormant, denied and granted apart', async () => {
    const stateOf = async (query: string) => {
      const { clients, resources, cells } = await get(`/v1/matrix?${query}`);
      return new Map(
        cells.map(({ client, resource, state }: any) => [
          `${clients.find((one: any) => one.client.entity === client).client.client_id} ${resources.find((one: any) => one.resource.entity === resource).resource.uri}`,
          state,
        ]),
      );
    };
    // The last allowed use of the CRM began at T + 35, that of the wiki at T + 50.
    const early = await stateOf(`used_since=${T}`);
    expect(early.get(`assistant ${CRM}`)).toBe('used');
    expect((await stateOf(`used_since=${T + 10_000}`)).get(`assistant ${CRM}`)).toBe('dormant');
    // Before its first access the connection was granted alone.
    expect((await stateOf(`used_since=${T}&as_of=3`)).get(`assistant ${CRM}`)).toBe('granted');
    expect([...early.keys()]).toEqual(expect.arrayContaining([`assistant ${CRM}`, `mailer ${CRM}`]));
  });

  it('leaves the connections that a filter chooses', async () => {
    const { cells } = await get('/v1/matrix');
    const of = async (query: string) => (await get(`/v1/matrix?${query}`)).cells;
    const { resources } = await get(`/v1/matrix?resource=${WIKI}`);
    expect(resources.map(({ resource }: any) => resource.uri)).toEqual([WIKI]);
    const agent = await of(`agent_iss=${IDP}&agent_id=${AGENT.id}`);
    expect(seen(agent)).toEqual(seen(cells.filter((cell: any) => cell.agents.length > 0)));
    const client = await of(`client_iss=${IDP}&client_id=mailer`);
    expect(client.length).toBeGreaterThan(0);
    expect(client.length).toBeLessThan(cells.length);
  });

  it.each([
    ['used_since=yesterday', 'invalid-request'],
    ['used_since=1990-01-01T00:00:00Z', 'time-out-of-range'],
    ['user=1', 'invalid-request'],
    ['limit=1', 'invalid-request'],
  ])('refuses %s', async (query, code) => {
    const { status, body } = await api.get(`/v1/matrix?${query}`);
    expect([status, body.code]).toEqual([400, code]);
  });
});

const NUMBERS = ['grants', 'accesses', 'allowed', 'denied', 'granted_scopes', 'used_scopes', 'unused_scopes'] as const;
const pick = (of: any): object => Object.fromEntries(NUMBERS.map((name) => [name, of[name]]));
const known = ({ client, resource, agents, connection, ...rest }: any): object => ({
  client,
  resource,
  agents,
  connection,
  ...pick(rest),
});
