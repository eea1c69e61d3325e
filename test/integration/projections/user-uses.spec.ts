import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MIGRATIONS } from '../../../src/migrations.js';
import { inTransaction, runMigrations } from '../../../src/platform/postgres/index.js';
import { readUsesOfGrants, readUsesOfUsers, type UserUses, type UseTimes } from '../../../src/projections/index.js';
import { createMigratedDatabase, type TestDatabase } from '../../support/services.js';
import { ACME, GLOBEX, say, T, writeHistory, type Said } from '../query/history.js';
import { AGENT, CRM, CRM_AS, IDP, WIKI_AS } from '../query/story.js';

const BLOCK = 16_384n;
const DAY = 86_400;

let database: TestDatabase;
beforeAll(async () => {
  database = await createMigratedDatabase();
  await runMigrations({ url: database.url, migrations: MIGRATIONS });
});
afterAll(() => database.drop());

const rows = async (sql: string | { readonly text: string }, values: readonly unknown[] = []): Promise<any[]> =>
  (await database.pool.query({ ...(typeof sql === 'string' ? { text: sql } : sql), values: [ACME, ...values] })).rows;
const write = (...said: readonly Said[]) => inTransaction(database.pool, (client) => writeHistory(client, said));
const leapTo = (ix: bigint) => rows('UPDATE ledger_head SET next_ix = $2 WHERE tenant = $1', [String(ix)]);
const moment = (index: bigint) => ({ index, present: false, rows });

const idJag = (jti: string, sub: string) => ({
  iss: IDP,
  jti,
  sub,
  client_id: 'assistant-at-crm',
  iat: T,
  exp: T + 300,
});
const token = (at: 'crm' | 'wiki', jti: string, sub: string) =>
  say(at, 'token.issued', T, {
    kind: 'access',
    iss: at === 'crm' ? CRM_AS : WIKI_AS,
    jti,
    client_id: `assistant-at-${at}`,
    aud: [CRM],
    iat: T,
    exp: T + 9,
    id_jag: idJag(`${jti}-${at}`, sub),
  });
const used = (
  at: 'crm' | 'wiki',
  jti: string,
  second: number,
  name: 'access.allowed' | 'access.denied' = 'access.allowed',
) =>
  say(at, name, T + second, { token: { iss: at === 'crm' ? CRM_AS : WIKI_AS, jti }, operation: 'read', status: 200 });
const summary = (jti: string, from: number, to: number) =>
  say('crm', 'access.summary', T + to, {
    token: { iss: CRM_AS, jti },
    operation: 'read',
    outcome: 'allowed',
    count: 10,
    from: T + from,
    to: T + to,
  });

/** Adds up the rows of `access`, use by use. */
async function addUp(
  index: bigint,
  users: readonly number[],
  { window = [0, 2 ** 53], since = [2 ** 53, 2 ** 53] }: UseTimes,
): Promise<unknown[]> {
  const sums = new Map<
    string,
    Record<'usr' | 'client' | 'res' | 'accesses' | 'allowed' | 'first' | 'last', number> & {
      since: [number, number];
      firstUsed: number | null;
      lastUsed: number | null;
      agents: Set<number>;
    }
  >();
  for (const use of await rows(
    'SELECT * FROM access WHERE tenant = $1 AND bound_ix < $2 AND res IS NOT NULL ORDER BY ix',
    [String(index)],
  )) {
    const { usr, client, res, outcome, agent, agent_ix: agentIx } = use;
    const [at, until, n] = [use.at, use.until_at, use.n].map(Number) as [number, number, number];
    if (!users.includes(usr) || at < Number(window[0]) || at >= Number(window[1])) continue;
    const key = `${usr} ${client} ${res}`;
    const sum = sums.get(key) ?? {
      usr,
      client,
      res,
      accesses: 0,
      allowed: 0,
      since: [0, 0] as [number, number],
      first: at,
      last: until,
      firstUsed: null,
      lastUsed: null,
      agents: new Set<number>(),
    };
    sums.set(key, sum);
    sum.accesses += n;
    sum.first = Math.min(sum.first, at);
    sum.last = Math.max(sum.last, until);
    if (agent !== null && (agentIx === null || BigInt(agentIx) < index)) sum.agents.add(agent);
    if (outcome !== 1) continue;
    sum.allowed += n;
    sum.firstUsed = Math.min(sum.firstUsed ?? at, at);
    sum.lastUsed = Math.max(sum.lastUsed ?? until, until);
    for (const nth of [0, 1] as const) if (at >= since[nth]) sum.since[nth] += n;
  }
  return [...sums.values()].map((sum) => ({ ...sum, agents: [...sum.agents].sort() })).sort(byKey);
}

const byKey = (one: { usr: number; client: number; res: number }, other: typeof one): number =>
  one.usr - other.usr || one.client - other.client || one.res - other.res;
const sorted = (uses: readonly UserUses[]): unknown[] =>
  uses.map((use) => ({ ...use, agents: [...use.agents].sort() })).sort(byKey);

describe('uses of users', () => {
  it('equal the sums of the uses: as of any index, in any window, of closed blocks, of the open block and of both', async () => {
    await write(
      used('crm', 'late', 5),
      used('crm', 'late', 4 * DAY),
      token('crm', 'a', 'alice'),
      token('wiki', 'a', 'alice'),
      token('crm', 'b', 'bob'),
    );
    const moments: bigint[] = [];
    for (let block = 0; block < 4; block += 1) {
      const day = block * DAY;
      // A block's uses are of its own day, of the one before, and of all the time there is.
      await write(
        used('crm', 'a', day + 10),
        used('crm', 'a', day - DAY + 20, 'access.denied'),
        used('wiki', 'a', day + 30),
        used('crm', 'b', day + 40),
        summary('a', day + 50, day + 2 * DAY),
      );
      if (block === 2)
        await write(
          token('crm', 'late', 'alice'),
          say('idp', 'id-jag.issued', T, {
            ...idJag('b-crm', 'bob'),
            idp_client_id: 'assistant',
            aud: [CRM_AS],
            agent: AGENT,
          }),
        );
      const [{ head }] = await rows('SELECT next_ix AS head FROM ledger_head WHERE tenant = $1');
      moments.push(BigInt(head) - 2n, BigInt(head));
      // The block closes within a batch, which leaves some of its uses in the next one.
      await leapTo(BigInt(block + 1) * BLOCK - 2n);
      await write(
        used('crm', 'a', day + 60),
        used('wiki', 'a', day + 70),
        used('crm', 'a', day + 80),
        used('crm', 'b', day + 90),
      );
      moments.push(BigInt(block + 1) * BLOCK - 1n, BigInt(block + 1) * BLOCK, BigInt(block + 1) * BLOCK + 1n);
    }
    expect(await rows('SELECT blk FROM use_usr_end WHERE tenant = $1')).toEqual([{ blk: 4 }]);
    expect(
      (await rows('SELECT count(*)::int AS late FROM access WHERE tenant = $1 AND agent_ix IS NOT NULL'))[0].late,
    ).toBeGreaterThan(0);
    const users = (await rows('SELECT DISTINCT usr FROM access WHERE tenant = $1 AND usr IS NOT NULL')).map(
      ({ usr }) => usr as number,
    );
    expect(users).toHaveLength(2);
    const times: readonly UseTimes[] = [
      {},
      { since: [T + DAY + 20, T + 2 * DAY] },
      { window: [T + 20, T + 2 * DAY + 30] },
      { window: [T + DAY + 60, T + DAY + 80], since: [T + DAY + 61, T + 3 * DAY] },
      { window: [T + 5 * DAY, T + 6 * DAY] },
    ];
    for (const index of moments) {
      for (const time of times) {
        const asked = { index, time };
        const expected = await addUp(index, users, time);
        expect({ asked, uses: sorted(await readUsesOfUsers(moment(index), { users }, time)) }).toEqual({
          asked,
          uses: expected,
        });
        expect({ asked, uses: sorted(await readUsesOfGrants(moment(index), expected as UserUses[], time)) }).toEqual({
          asked,
          uses: expected,
        });
      }
    }
    const [one] = (await addUp(moments.at(-1)!, users, {})) as UserUses[];
    for (const filter of [{ clients: [one!.client] }, { resources: [one!.res] }]) {
      const found = await readUsesOfUsers(moment(moments.at(-1)!), { users: [one!.usr], ...filter });
      expect(
        found.every(
          ({ client, res }) => client === (filter.clients?.[0] ?? client) && res === (filter.resources?.[0] ?? res),
        ),
      ).toBe(true);
      expect(found.map(({ usr, client, res, accesses }) => ({ usr, client, res, accesses }))).toContainEqual({
        usr: one!.usr,
        client: one!.client,
        res: one!.res,
        accesses: one!.accesses,
      });
    }
  });

  it('belong to the tenant alone', async () => {
    // This tenant has closed blocks and an open one at the indexes where the other tenant has uses.
    await database.pool.query('INSERT INTO use_usr_end (tenant, blk) VALUES ($1, 2)', [GLOBEX]);
    const users = (await rows('SELECT DISTINCT usr FROM access WHERE tenant = $1 AND usr IS NOT NULL')).map(
      ({ usr }) => usr as number,
    );
    const other = {
      ...moment(5n * BLOCK),
      rows: async (sql: any, values: readonly unknown[] = []) =>
        (await database.pool.query({ text: sql.text, values: [GLOBEX, ...values] })).rows,
    };
    for (const times of [{}, { window: [T + 20, T + DAY] as const }])
      expect(await readUsesOfUsers(other, { users }, times)).toEqual([]);
  });
});
