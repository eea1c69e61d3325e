import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { FOUND } from '../../../src/query/search/answers.js';
import { namesOf, startTwoTenants, TENANTS, type TenantName } from './two-tenants.js';

let world: Awaited<ReturnType<typeof startTwoTenants>>;
beforeAll(async () => {
  world = await startTwoTenants();
});
afterAll(() => world.stop());

const ask = async (tenant: TenantName, path: string) => world.ask('GET', path, world.planted[tenant].keys.audit);
const search = async (tenant: TenantName, text: string) =>
  (await ask(tenant, `/v1/search?limit=100&q=${encodeURIComponent(text)}`)).body.items as {
    kind: (typeof FOUND)[number];
    name: string;
    see: string;
  }[];

const itemsOf = ({ items }: any): number => items.length;
const known = (value: unknown): number => Number(value !== undefined && value !== null);
/** Counts what the answer that a result of each kind points to says. */
const SAID: Readonly<Record<(typeof FOUND)[number], (body: any) => number>> = {
  user: itemsOf,
  client: itemsOf,
  agent: itemsOf,
  resource: itemsOf,
  route: itemsOf,
  address: itemsOf,
  agent_type: ({ reachable, tokens, usage }) => reachable.resources.count + tokens.live + tokens.stopped + usage.uses,
  token: ({ client }) => known(client),
  id_jag: ({ payload }) => known(payload),
  rule: ({ selector }) => known(selector),
  entry: ({ payload }) => known(payload),
  source: ({ next_steps: steps, keys }) => steps.length + known(keys),
};

it('every kind of result points to a question of the whole service that has an answer', async () => {
  const { token, rule } = world.planted.acme;
  const { jti, grant, address } = namesOf('acme');
  const seen = new Set<string>();
  for (const text of ['of-acme', 'acme.example', jti, grant, address, token, rule, '3']) {
    const items = await search('acme', text);
    expect([text, items.length > 0]).toEqual([text, true]);
    for (const { kind, see } of items) {
      seen.add(kind);
      const { status, body } = await ask('acme', see);
      expect([kind, see, status, SAID[kind](body) > 0]).toEqual([kind, see, 200, true]);
    }
  }
  expect([...seen].sort()).toEqual(Object.keys(SAID).sort());
});

it('no part of a name finds a name of another tenant', async () => {
  for (const tenant of TENANTS) {
    const other = TENANTS.find((one) => one !== tenant)!;
    for (const name of Object.values(namesOf(other))) {
      for (const text of [name, name.slice(1), other, other.slice(1, 4)]) {
        const items = await search(tenant, text);
        expect([text, items.filter((item) => JSON.stringify(item).includes(other))]).toEqual([text, []]);
      }
    }
  }
});
