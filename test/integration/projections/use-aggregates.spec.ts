import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MIGRATIONS } from '../../../src/migrations.js';
import { inTransaction, runMigrations } from '../../../src/platform/postgres/index.js';
import { readTotalUses } from '../../../src/projections/index.js';
import { createMigratedDatabase, type TestDatabase } from '../../support/services.js';
import { ACME, say, T, writeHistory } from '../query/history.js';
import { AGENT, CRM, CRM_AS, IDP, STORY, WIKI, WIKI_AS } from '../query/story.js';

const TABLES = [
  'use_total',
  'use_client',
  'use_res',
  'edge_use',
  'edge_cum',
  'edge_scope_used',
  'edge_agent_used',
  'use_source',
  'use_usr',
  'use_usr_end',
];
const SNAPSHOT = 16n * 65_536n;
const MAX = 2n ** 63n - 1n;

let database: TestDatabase;
beforeAll(async () => {
  database = await createMigratedDatabase();
  await runMigrations({ url: database.url, migrations: MIGRATIONS });
});
afterAll(() => database.drop());

const rows = async (sql: string): Promise<any[]> => (await database.pool.query(sql)).rows;
const write = (...said: Parameters<typeof writeHistory>[1]) =>
  inTransaction(database.pool, (client) => writeHistory(client, said));
const leapTo = (ix: bigint) =>
  database.pool.query('UPDATE ledger_head SET next_ix = $2 WHERE tenant = $1', [ACME, String(ix)]);

async function everything(): Promise<Record<string, string[]>> {
  const tables = TABLES.map(
    async (table) =>
      [
        table,
        (await rows(`SELECT to_jsonb(t)::text AS row FROM ${table} t`)).map(({ row }) => row as string).sort(),
      ] as const,
  );
  return Object.fromEntries(await Promise.all(tables));
}

describe('the aggregates of usage', () => {
  it('equal the sums of all uses', async () => {
    const late = { iss: IDP, jti: 'late', sub: 'alice', tenant: 'acme' };
    const used = (jti: string, at: number) =>
      say('crm', 'access.allowed', at, {
        token: { iss: CRM_AS, jti },
        operation: 'export',
        scope: 'a',
        status: 200,
        records: 9,
        bytes: 1,
      });
    for (const batch of STORY.slice(0, 3)) await write(...batch);
    await write(used('late', T + 1), used('later', T + 2));
    await leapTo(SNAPSHOT - 2n);
    // The block closes within this batch, and the snapshot leaves out what comes behind its end.
    await write(
      say('crm', 'token.issued', T, {
        kind: 'access',
        iss: CRM_AS,
        jti: 'late',
        client_id: 'assistant-at-crm',
        aud: [CRM],
        iat: T,
        exp: T + 9,
        id_jag: late,
      }),
      ...STORY[3]!,
      used('late', T + 4),
    );
    for (const batch of STORY.slice(4)) await write(...batch);
    await write(
      say('idp', 'id-jag.issued', T, {
        ...late,
        client_id: 'assistant-at-crm',
        idp_client_id: 'assistant',
        aud: [CRM_AS],
        iat: T,
        exp: T + 9,
        agent: AGENT,
      }),
    );

    const written = await everything();
    for (const table of TABLES) expect([table, written[table]!.length > 0]).toEqual([table, true]);
    const known = await rows('SELECT ix, agent_ix FROM access WHERE agent_ix IS NOT NULL ORDER BY ix');
    expect(known).toHaveLength(2);

    await database.pool.query(
      `BEGIN; ${readFileSync('test/integration/projections/sums-of-uses.sql', 'utf8')}; COMMIT`,
    );
    expect(await everything()).toEqual(written);
    expect(await rows('SELECT ix, agent_ix FROM access WHERE agent_ix IS NOT NULL ORDER BY ix')).toEqual(known);
  });

  it('stay at the largest number there is, so that no event stops those behind it', async () => {
    const summary = (nth: number) =>
      say('crm', 'access.summary', T + nth, {
        token: { iss: CRM_AS, jti: 't1' },
        operation: 'read',
        outcome: 'allowed',
        count: Number.MAX_SAFE_INTEGER,
        bytes: Number.MAX_SAFE_INTEGER,
        from: T + nth,
        to: T + nth,
      });
    for (let batch = 0; batch < 3; batch += 1)
      await write(...Array.from({ length: 600 }, (_, nth) => summary(batch * 600 + nth)));
    const [most] = await rows(`SELECT max(n) AS n, max(bytes) AS bytes FROM use_total WHERE tenant = '${ACME}'`);
    expect(most).toEqual({ n: String(MAX), bytes: String(MAX) });
    expect(
      await write(
        say('crm', 'access.allowed', T + 5_000, { token: { iss: CRM_AS, jti: 't1' }, operation: 'read', status: 200 }),
      ),
    ).toHaveLength(1);
  });
});

describe('all uses of a client or a resource', () => {
  let other: TestDatabase;
  beforeAll(async () => {
    other = await createMigratedDatabase();
    await runMigrations({ url: other.url, migrations: MIGRATIONS });
    for (const batch of STORY) await inTransaction(other.pool, (client) => writeHistory(client, batch));
  });
  afterAll(() => other.drop());

  it.each([
    // 5 is there, and is attributed from 7 on; 8 is a summary.
    [6, 0, 0],
    [7, 0, 0],
    [8, 1, 7],
    [9, 41, 7],
    [15, 41, 7],
  ])('as of %i are the uses attributed by then: %i', async (index, n, records) => {
    const idOf = async (kind: number, parts: readonly string[]): Promise<number> =>
      (
        await other.pool.query<{ id: number }>('SELECT id FROM entity WHERE tenant = $1 AND kind = $2 AND parts = $3', [
          ACME,
          kind,
          JSON.stringify(parts),
        ])
      ).rows[0]!.id;
    const moment = {
      index: BigInt(index),
      present: false,
      rows: async (sql: string | { readonly text: string }, values: readonly unknown[] = []) =>
        (await other.pool.query(typeof sql === 'string' ? sql : sql.text, [ACME, ...values])).rows,
    };
    const hours = { first: 0, end: 2 ** 31 - 1 };
    for (const subject of [
      { of: 'client', ids: [await idOf(2, [WIKI_AS, 'assistant-at-wiki'])] },
      { of: 'resource', ids: [await idOf(5, [WIKI])] },
    ] as const) {
      expect([subject.of, await readTotalUses(moment, subject, hours)]).toMatchObject([
        subject.of,
        { n, allowed: n, records },
      ]);
    }
  });
});
