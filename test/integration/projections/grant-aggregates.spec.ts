import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ACME, say, startQueryApi, T, type Said } from '../query/history.js';

/*
 * Random evidence of few users, clients and resources, with the name at the IdP often later than the grant under the RAS's name, in
 * batches of any size around the end of a block. What is counted must be what a plain walk over the versions finds.
 */
const IDP = 'https://idp.example';
const BLOCK = 65_536;
const FIRST = 3 * BLOCK - 60;
const TABLES = [
  'edge_grant',
  'client_user',
  'issuer_user',
  'edge_scope_granted',
  'edge_agent_granted',
  'edge_seen',
] as const;

let api: Awaited<ReturnType<typeof startQueryApi>>;
const seed = Number(process.env['SEED'] ?? Date.now() % 1e9);
beforeAll(async () => {
  api = await startQueryApi([]);
  await api.pool.query('INSERT INTO ledger_head (tenant, next_ix) VALUES ($1, $2)', [ACME, FIRST]);
  const random = mulberry(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const said: Said[] = Array.from({ length: 160 }, (_, nth) => evidence(nth, pick, random));
  while (said.length > 0) await api.say(said.splice(0, 1 + Math.floor(random() * 12)));
});
afterAll(() => api.stop());

function evidence(nth: number, pick: <T>(from: readonly T[]) => T, random: () => number): Said {
  const iss = pick([IDP, 'https://other-idp.example']);
  const ras = pick(['https://auth.a.example', 'https://auth.b.example']);
  const app = pick(['one', 'two', 'three']);
  const agent = random() < 0.4 ? { agent: { id: pick(['bot-1', 'bot-2']), type: 'bot' } } : {};
  const common = {
    jti: `j${nth}`,
    sub: pick(['ann', 'ben', 'cay', 'dan', 'eva']),
    client_id: `${app}-local`,
    iat: T + nth,
    exp: T + nth + 300,
    ...agent,
  };
  const reach = {
    aud: [ras],
    resource: pick([['https://a.example'], ['https://b.example'], ['https://a.example', 'https://c.example']]),
    scope: pick(['read', 'write', 'read write', 'admin', '']),
  };
  if (random() < 0.35)
    return say('idp', 'id-jag.issued', T + nth, { ...common, iss, idp_client_id: pick([app, 'shared']), ...reach });
  if (random() < 0.3) {
    const token = { iss: ras, jti: `t${Math.floor(random() * 160)}` };
    return say('wiki', 'access.allowed', T + nth, {
      token,
      operation: 'read',
      ...(random() < 0.3 ? { resource: ['https://stated.example'] } : {}),
    });
  }
  const stated = { ...common, iss };
  return say('crm', 'token.issued', T + nth, {
    kind: 'access',
    iss: ras,
    jti: `t${nth}`,
    client_id: common.client_id,
    ...reach,
    iat: T + nth,
    exp: T + nth + 600,
    id_jag: stated,
  });
}

function mulberry(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const rowsOf = async (table: string): Promise<string[]> =>
  (await api.pool.query(`SELECT t::text AS row FROM ${table} t`)).rows.map(({ row }) => row as string).sort();

async function count(): Promise<Record<(typeof TABLES)[number], string[]>> {
  const { rows: versions } = await api.pool.query(
    'SELECT usr, client, res, from_ix::int AS ix, scopes, agent FROM grant_version ORDER BY from_ix',
  );
  const { rows: connections } = await api.pool.query('SELECT client, res, from_ix::int AS ix FROM connection_version');
  const { rows: uses } = await api.pool.query(
    'SELECT client, res, bound_ix::int AS ix FROM access WHERE bound_ix IS NOT NULL AND res IS NOT NULL',
  );
  const { rows: aliases } = await api.pool.query('SELECT local, idp, from_ix::int AS ix FROM alias');
  const { rows: entities } = await api.pool.query('SELECT id, parts FROM entity');
  const issuer = new Map<number, string>(entities.map(({ id, parts }) => [id, parts[0]]));
  const first = {
    grant: new Map<string, number>(),
    user: new Map<string, number>(),
    all: new Map<string, number>(),
    scope: new Map<string, number>(),
    agent: new Map<string, number>(),
    seen: new Map<string, number>(),
  };
  const note = (map: Map<string, number>, key: string, ix: number): unknown =>
    map.set(key, Math.min(map.get(key) ?? Infinity, ix));
  for (const { client, res, ix } of [...versions, ...connections, ...uses]) note(first.seen, `${client},${res}`, ix);
  for (const { usr, client, res, ix, scopes, agent } of versions) {
    note(first.grant, `${client},${res} ${usr}`, ix);
    note(first.all, `${issuer.get(usr)} ${usr}`, ix);
    note(first.user, `${client} ${usr}`, ix);
    for (const { local, idp, ix: known } of aliases)
      if (local === client) note(first.user, `${idp} ${usr}`, Math.max(ix, known));
    for (const scope of scopes) note(first.scope, `${client},${res},${scope}`, ix);
    if (agent !== null) note(first.agent, `${client},${res},${agent}`, ix);
  }
  /** Counts the entries of the map up to each index that added one. */
  const running = (map: Map<string, number>): string[] => {
    const counts = new Map<string, Map<number, number>>();
    for (const [key, ix] of map) {
      const name = key.split(' ')[0]!;
      const byIndex = counts.get(name) ?? new Map<number, number>();
      counts.set(name, byIndex.set(ix, (byIndex.get(ix) ?? 0) + 1));
    }
    return [...counts]
      .flatMap(([name, byIndex]) => {
        let sum = 0;
        return [...byIndex].sort(([a], [b]) => a - b).map(([ix, n]) => `(${ACME},${name},${ix},${(sum += n)})`);
      })
      .sort();
  };
  const once = (map: Map<string, number>): string[] => [...map].map(([key, ix]) => `(${ACME},${key},${ix})`).sort();
  return {
    edge_grant: running(first.grant),
    client_user: running(first.user),
    issuer_user: running(first.all),
    edge_scope_granted: once(first.scope),
    edge_agent_granted: once(first.agent),
    edge_seen: once(first.seen),
  };
}

describe(`aggregates of grants (SEED=${seed})`, () => {
  it('equal a walk over the versions, on both sides of the end of a block', async () => {
    const counted = await count();
    expect(new Set(counted.edge_grant.map((row) => Math.floor(Number(row.split(',')[3]) / BLOCK)))).toEqual(
      new Set([2, 3]),
    );
    for (const table of TABLES) expect([table, await rowsOf(table)]).toEqual([table, counted[table]]);
  });

  it('count a user once whose IdP name becomes known late', async () => {
    const { rows } = await api.pool.query(
      'SELECT count(*)::int AS n FROM alias a JOIN grant_version g ON g.client = a.local AND g.from_ix < a.from_ix',
    );
    expect(rows[0]!.n).toBeGreaterThan(0);
  });

  it('tell the first version of a grant from those that follow', async () => {
    const { rows } = await api.pool.query(
      'SELECT again, from_ix > min(from_ix) OVER (PARTITION BY usr, client, res) AS follows FROM grant_version',
    );
    expect(rows.filter(({ again, follows }) => again !== follows)).toEqual([]);
    expect(new Set(rows.map(({ again }) => again))).toEqual(new Set([false, true]));
  });
});
