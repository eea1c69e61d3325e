import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { until } from '../control/control-fixture.js';
import { ACME, secretOf, startQueryApi } from './history.js';
import { CRM, STORY } from './story.js';

/** A line is some 200 bytes: far more than sockets and streams hold between them. */
const GRANTS = 100_000;

let api: Awaited<ReturnType<typeof startQueryApi>>;
beforeAll(async () => {
  api = await startQueryApi(STORY);
  await api.pool.query(
    `WITH made AS (
       INSERT INTO entity (tenant, id, kind, key, parts, from_ix)
       SELECT $1, 100000 + n, 1, sha256(('user' || n)::bytea), jsonb_build_array('https://idp.example', NULL, 'user-' || n || repeat('x', 100)), 1 FROM generate_series(1, $2::int) n
       RETURNING id
     )
     INSERT INTO grant_version (tenant, usr, client, res, from_ix, scopes)
     SELECT $1, m.id, (SELECT min(id) FROM entity WHERE tenant = $1 AND kind = 2), r.id, 1, '{contacts.read}'
     FROM made m, entity r WHERE r.tenant = $1 AND r.kind = 5 AND r.parts ->> 0 = $3`,
    [ACME, GRANTS, CRM],
  );
  await api.pool.query('ANALYZE entity, grant_version, access');
}, 60_000);
afterAll(() => api.stop());

const open = (path: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) =>
    get(
      `${api.url}${path}`,
      { headers: { authorization: `Bearer ${secretOf('acme-audit')}` }, agent: false },
      resolve,
    ).on('error', reject),
  );
const path = `/v1/reports/access-review?resource=${CRM}&format=csv`;

/** Sessions that hold a transaction open, which nothing else here does for longer than a statement. */
async function openReports(): Promise<number> {
  const { rows } = await api.pool.query<{ open: number }>(
    `SELECT count(*)::int AS open FROM pg_stat_activity WHERE datname = current_database() AND xact_start < now() AND pid <> pg_backend_pid()`,
  );
  return rows[0]!.open;
}
const isIdle = async (): Promise<boolean> => {
  const { rows } = await api.pool.query<{ open: number }>(
    `SELECT count(*)::int AS open FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'`,
  );
  return rows[0]!.open === 1;
};

it('a report writes no more than its reader reads, and everything in the end', async () => {
  const response = await open(path);
  // Nobody reads: the report waits in its transaction.
  await until('the report to wait', isIdle);
  let lines = 0;
  for await (const chunk of response) {
    for (const byte of chunk as Buffer) if (byte === 10) lines += 1;
  }
  const { rows } = await api.pool.query<{ grants: number }>(
    'SELECT count(*)::int AS grants FROM grant_version g JOIN entity r ON r.tenant = g.tenant AND r.id = g.res WHERE g.tenant = $1 AND r.parts ->> 0 = $2 AND g.to_ix IS NULL',
    [ACME, CRM],
  );
  expect(rows[0]!.grants).toBeGreaterThan(GRANTS);
  expect(lines).toBe(rows[0]!.grants + 1);
  await until('its transaction to end', async () => (await openReports()) === 0);
}, 120_000);

it('a report ends its transaction when its reader leaves', async () => {
  const response = await open(path);
  await until('the report to wait', isIdle);
  response.destroy();
  await until('its transaction to end', async () => (await openReports()) === 0);
}, 60_000);

it('a third report is refused while two are being written', async () => {
  const two = await Promise.all([open(path), open(path)]);
  const third = await open(path);
  const chunks: Buffer[] = [];
  for await (const chunk of third) chunks.push(chunk as Buffer);
  expect([third.statusCode, JSON.parse(Buffer.concat(chunks).toString()).code]).toEqual([429, 'overloaded']);
  for (const response of two) response.destroy();
  await until('both to end', async () => (await openReports()) === 0);
  const again = await open(path);
  expect(again.statusCode).toBe(200);
  again.destroy();
  await until('it to end', async () => (await openReports()) === 0);
}, 60_000);
