import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { validateEventData, type KeyUsed } from '../../../src/contracts/index.js';
import { startRescind, type RunningRescind } from '../../../src/main.js';
import { readConfig } from '../../../src/platform/config/index.js';
import { createCallerNetworks, NETWORK_KEPT_MS, NETWORKS_A_DAY } from '../../../src/registry/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { createMigratedDatabase, testLog, type TestDatabase } from '../../support/services.js';

const cleanups = cleanUp(afterAll);
let database: TestDatabase;
/** Two processes behind a proxy that they trust, on one database. */
let one: RunningRescind;
let other: RunningRescind;
let adminKey: string;
let tenant: string;

async function start(roles: string): Promise<RunningRescind> {
  const home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
  cleanups.push(() => rm(home, { recursive: true, force: true }));
  const config = readConfig({
    RESCIND_HOME: home,
    PORT: '0',
    DATABASE_URL: database.url,
    KAFKA_BROKERS: 'none',
    LOG_LEVEL: 'silent',
    TRUSTED_PROXY: 'true',
    FINDINGS_LEARN_DAYS: '0',
    ROLES: roles,
  });
  const rescind = await startRescind(config, { log: testLog() });
  cleanups.push(() => rescind.stop());
  return rescind;
}

beforeAll(async () => {
  database = await createMigratedDatabase();
  cleanups.push(() => database.drop());
  one = await start('ingest,serve,feed');
  adminKey = one.adminKey!;
  other = await start('serve');
  tenant = (await database.pool.query<{ tenant: string }>('SELECT DISTINCT tenant FROM ledger_head')).rows[0]!.tenant;
});

/** Asks as a client at an address, which the proxy names. */
async function call(address: string, path: string, { at = one, key = adminKey, body = undefined as unknown } = {}) {
  const response = await fetch(new URL(path, at.url), {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'x-forwarded-for': `192.0.2.99, ${address}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as any };
}

const created = async (id: string, roles: object): Promise<string> =>
  (await call('127.0.0.1', '/v1/callers', { body: { id, roles } })).body.secret;

/** Entries about a caller, oldest first. */
async function entriesOf(caller: string): Promise<KeyUsed[]> {
  const { rows } = await database.pool.query<{ data: KeyUsed }>(
    `SELECT convert_from(p.bytes, 'UTF8')::jsonb -> 'data' AS data FROM entry i JOIN payload p ON p.tenant = i.tenant AND p.ix = i.ix
     WHERE i.tenant = $1 AND i.type = 'dev.rescind.key.used.v1' ORDER BY i.ix`,
    [tenant],
  );
  return rows.map(({ data }) => data).filter((data) => data.caller === caller);
}

/** Waits until no row of a caller lacks its entry, and it has so many rows. */
async function recorded(caller: string, count: number): Promise<KeyUsed[]> {
  const READ =
    'SELECT count(*)::int AS rows, count(entry)::int AS told FROM caller_network WHERE tenant = $1 AND caller = $2';
  for (;;) {
    const { rows, told } = (await database.pool.query(READ, [tenant, caller])).rows[0];
    if (rows >= count && told === rows) return entriesOf(caller);
    await delay(20);
  }
}

describe('a key of Rescind itself', () => {
  it('that many requests bring from one network to two processes at once makes one entry', async () => {
    const key = await created('analyst', { audit: {} });
    const asked = Array.from({ length: 20 }, (_, nth) =>
      call(`203.0.113.${nth}`, '/v1/coverage', { key, at: nth % 2 === 0 ? one : other }),
    );
    expect(new Set((await Promise.all(asked)).map(({ status }) => status))).toEqual(new Set([200]));
    const [entry, ...more] = await recorded('analyst', 1);
    expect([validateEventData('key.used', entry), more]).toEqual([undefined, []]);
    const [secret] = (await call('127.0.0.1', '/v1/callers/analyst')).body.secrets;
    expect(entry).toEqual({ caller: 'analyst', key: secret.id, network: '203.0.113.0/24', first: true, shared: false });
  });

  it('is told with its first network, a new one, and one that a colleague was in before', async () => {
    const key = await created('helpdesk', { revoke: { tenant: true } });
    // A refusal shows the key to nobody, but it was used.
    expect((await call('203.0.113.7', '/v1/callers', { key })).status).toBe(403);
    await recorded('helpdesk', 1);
    await call('2001:db8:1:2::7', '/v1/revocations', { key });
    await recorded('helpdesk', 2);
    expect(await entriesOf('helpdesk')).toMatchObject([
      { network: '203.0.113.0/24', first: true, shared: true },
      { network: '2001:db8:1::/48', first: false, shared: false },
    ]);
  });

  it('makes no entry if it neither reads nor changes, or if it is wrong', async () => {
    await call('127.0.0.1', '/v1/sources', {
      body: {
        name: 'crm',
        uri: 'https://login.crm.example',
        types: ['token.issued'],
        issuers: ['https://login.crm.example'],
        resources: ['https://api.crm.example'],
      },
    });
    const key = await created('crm', { emit: { sources: ['crm'] } });
    expect((await call('198.51.100.7', '/v1/sources/crm/check', { key })).status).toBe(200);
    expect((await call('198.51.100.7', '/v1/coverage', { key: 'rsk_wrong' })).status).toBe(401);
    const later = await created('later', { audit: {} });
    await call('198.51.100.7', '/v1/coverage', { key: later });
    expect(await recorded('later', 1)).toMatchObject([{ shared: false }]);
    expect(await entriesOf('crm')).toEqual([]);
  });

  it('is answered while the database keeps the record waiting', async () => {
    const key = await created('patient', { audit: {} });
    const holder = await database.pool.connect();
    try {
      await holder.query('BEGIN; LOCK TABLE caller_network IN ACCESS EXCLUSIVE MODE');
      expect((await call('198.51.101.7', '/v1/coverage', { key })).status).toBe(200);
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
    }
    expect(await recorded('patient', 1)).toHaveLength(1);
  });

  it(`is recorded in ${NETWORKS_A_DAY} networks a day and no more, whatever the processes`, async () => {
    const key = await created('roaming', { audit: {} });
    const asked = Array.from({ length: 80 }, (_, nth) =>
      call(`198.18.${nth}.7`, '/v1/callers', { key, at: nth % 2 === 0 ? one : other }),
    );
    await Promise.all(asked);
    await recorded('roaming', NETWORKS_A_DAY);
    // Each process decides in order: both have decided about the uses before these.
    const key2 = await created('after', { audit: {} });
    for (const [nth, at] of [one, other].entries()) await call(`198.19.${nth}.7`, '/v1/coverage', { key: key2, at });
    await recorded('after', 2);
    const entries = await recorded('roaming', NETWORKS_A_DAY);
    expect(entries).toHaveLength(NETWORKS_A_DAY);
    expect(entries.filter(({ first }) => first)).toHaveLength(1);
  });

  it('gets its entry once if the process dies after the row, or after the entry', async () => {
    const stored = createCallerNetworks({ pool: database.pool, networksADay: NETWORKS_A_DAY });
    const use = { tenant, caller: 'killed', key: 'k', atMs: Date.now() };
    expect(await stored.record({ ...use, network: '198.51.102.0/24' })).toBe('recorded');
    expect(await stored.record({ ...use, network: '198.51.102.0/24' })).toBe('known');
    await database.pool.query("UPDATE caller_network SET entry = NULL WHERE tenant = $1 AND caller = 'analyst'", [
      tenant,
    ]);
    expect(await entriesOf('killed')).toEqual([]);
    await start('feed');
    expect(await recorded('killed', 1)).toMatchObject([{ network: '198.51.102.0/24', first: true }]);
    expect(await recorded('analyst', 1)).toHaveLength(1);
  });

  it('is new again in a network where it was not for long, and known as long as it is used there', async () => {
    const stored = createCallerNetworks({ pool: database.pool, networksADay: NETWORKS_A_DAY });
    const began = Date.now() - 3 * NETWORK_KEPT_MS;
    const at = (network: string, part: number) =>
      stored.record({ tenant, caller: 'seldom', key: 'k', network, atMs: began + part * NETWORK_KEPT_MS });
    expect(await at('198.51.104.0/24', 0)).toBe('recorded');
    expect(await at('198.51.105.0/24', 0.1)).toBe('recorded');
    await start('feed');
    await recorded('seldom', 2);
    expect(await at('198.51.104.0/24', 0.6)).toBe('known');
    // The other network was used 1.1 spans ago, this one half a span.
    expect(await at('198.51.104.0/24', 1.2)).toBe('known');
    expect(await at('198.51.105.0/24', 1.2)).toBe('recorded');
    await start('feed');
    await recorded('seldom', 2);
    expect((await entriesOf('seldom')).map(({ network }) => network)).toEqual([
      '198.51.104.0/24',
      '198.51.105.0/24',
      '198.51.105.0/24',
    ]);
  });

  it('is found by `administration` in a network that is new to the tenant', async () => {
    const administration = async (): Promise<readonly any[]> =>
      (await call('127.0.0.1', '/v1/findings?kind=administration&limit=100')).body.items.filter(
        ({ details }: any) => details.caller === 'helpdesk',
      );
    while ((await administration()).length === 0) await delay(50);
    const [found, ...more] = await administration();
    expect([found.details.network, found.severity, more]).toEqual(['2001:db8:1::/48', 'high', []]);
  });
});
