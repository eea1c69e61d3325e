import { once, type EventEmitter } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { from as copyFrom } from 'pg-copy-streams';
import { DataSource } from 'typeorm';
import {
  createPool,
  endStuckSessions,
  inTransaction,
  isDatabaseUnavailable,
  poolConfig,
  type Pool,
  type PoolClient,
} from '../../../src/platform/postgres/index.js';
import { createTestDatabase, testLog, type TestDatabase } from '../../support/services.js';

describe('the pool', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    await database.pool.query('CREATE TABLE item (n bigint PRIMARY KEY)');
  });
  afterAll(() => database.drop());

  const items = async (): Promise<unknown[]> =>
    (await database.pool.query<{ n: string }>('SELECT n FROM item ORDER BY n')).rows.map(({ n }) => n);

  it('bounds statements, locks, idle and whole transactions on the server, and drops a silent client', async () => {
    const names = [
      'statement_timeout',
      'lock_timeout',
      'idle_in_transaction_session_timeout',
      'transaction_timeout',
      'client_connection_check_interval',
      'TimeZone',
    ];
    names.push('tcp_user_timeout', 'tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count');
    const question = 'SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name';
    const { rows } = await database.pool.query<{ name: string; value: string }>(question, [names]);
    expect(Object.fromEntries(rows.map(({ name, value }) => [name, value]))).toEqual({
      statement_timeout: '30s',
      lock_timeout: '10s',
      idle_in_transaction_session_timeout: '10s',
      transaction_timeout: '1min',
      client_connection_check_interval: '5s',
      TimeZone: 'UTC',
      tcp_user_timeout: '10000',
      tcp_keepalives_idle: '10',
      tcp_keepalives_interval: '5',
      tcp_keepalives_count: '3',
    });
  });

  it('reads what is committed at each statement, whatever the database’s settings say', async () => {
    const other = await createTestDatabase();
    const name = new URL(other.url).pathname.slice(1);
    await other.pool.query(`ALTER DATABASE ${name} SET default_transaction_isolation = 'repeatable read'`);
    // A session takes the database's settings when it begins.
    const pool = createPool({ url: other.url, max: 1, applicationName: 'spec' });
    const isolation = await inTransaction(
      pool,
      async (client) => (await client.query('SHOW transaction_isolation')).rows,
    );
    await pool.end();
    await other.drop();
    expect(isolation).toEqual([{ transaction_isolation: 'read committed' }]);
  });

  describe('beside a session that is stuck with a lock', () => {
    const TRANSACTION_MS = 700;
    let stuck: Pool;
    let client: PoolClient;
    beforeEach(async () => {
      await database.pool.query('CREATE TABLE head (n int)');
      await database.pool.query('INSERT INTO head VALUES (0)');
      const timeouts = {
        transactionMs: TRANSACTION_MS,
        statementMs: 60_000,
        lockMs: 60_000,
        idleInTransactionMs: 60_000,
      };
      stuck = createPool({ url: database.url, max: 1, applicationName: 'stuck', timeouts });
      client = await stuck.connect();
      await client.query('BEGIN');
      await client.query('UPDATE head SET n = 1');
    });
    afterEach(async () => {
      client.release(true);
      await stuck.end();
      await database.pool.query('DROP TABLE head');
    });

    const endOf = (emitter: EventEmitter): Promise<unknown> => once(emitter, 'error').then(([error]) => error);

    it.each<[string, () => Promise<unknown>]>([
      ['between two statements', () => endOf(client)],
      ['inside a statement', () => client.query('SELECT pg_sleep(600)').catch((error: unknown) => error)],
    ])('%s, it waits no longer than its transaction may last', async (_where, getStuck) => {
      const startedAt = performance.now();
      const end = getStuck();
      await database.pool.query('UPDATE head SET n = n + 10');
      // A second for a busy machine.
      expect(performance.now() - startedAt).toBeLessThan(TRANSACTION_MS + 1_000);
      expect((await database.pool.query('SELECT n FROM head')).rows).toEqual([{ n: 10 }]);
      // transaction_timeout
      expect(await end).toMatchObject({ code: '25P04' });
    });

    it('inside COPY, it waits until somebody ends that session, since no timeout of the server does', async () => {
      const end = endOf(client.query(copyFrom('COPY item FROM STDIN')));
      const waiting = database.pool.query('UPDATE head SET n = n + 10');
      const stop = endStuckSessions({
        pool: database.pool,
        applicationName: 'stuck',
        olderThanMs: TRANSACTION_MS,
        log: testLog(),
        intervalMs: 100,
      });
      await waiting;
      await stop();
      expect((await database.pool.query('SELECT n FROM head')).rows).toEqual([{ n: 10 }]);
      expect(await end).toMatchObject({ code: '57P01' });
    });

    it('gives up at its own lock timeout, and says that it may be tried again', async () => {
      const impatient = createPool({
        url: database.url,
        max: 1,
        applicationName: 'impatient',
        timeouts: { lockMs: 50 },
      });
      const error = await impatient.query('UPDATE head SET n = 2').catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: '55P03' });
      expect(isDatabaseUnavailable(error)).toBe(true);
      await impatient.end();
    });
  });

  it('gives 64-bit integers as text, exactly', async () => {
    expect((await database.pool.query('SELECT 9007199254740993::bigint AS n')).rows).toEqual([
      { n: '9007199254740993' },
    ]);
  });

  it('commits if the work resolves, and nothing if it rejects', async () => {
    await inTransaction(database.pool, (client) => client.query('INSERT INTO item VALUES (1)'));
    const refusal = new Error('no');
    await expect(
      inTransaction(database.pool, async (client) => {
        await client.query('INSERT INTO item VALUES (2)');
        throw refusal;
      }),
    ).rejects.toBe(refusal);
    expect(await items()).toEqual(['1']);
  });

  it('does not reuse a broken connection, and goes on with another', async () => {
    const failure = await inTransaction(database.pool, async (client) => {
      await client.query('INSERT INTO item VALUES (3)');
      await client.query('SELECT pg_terminate_backend(pg_backend_pid())');
    }).catch((error: unknown) => error);
    expect(isDatabaseUnavailable(failure)).toBe(true);
    expect(await items()).toEqual(['1']);
  });

  it.each<[string, (url: string, applicationName: string) => Promise<unknown>]>([
    ['of its own', startOnPool],
    ['of TypeORM', startOnTypeOrm],
  ])('survives a connection that the server ends in the packet that opens it: pool %s', async (_whose, start) => {
    const link = await holdOpening(database.url, async () => {
      const { rows } = await database.pool.query<{ ended: boolean }>(
        "SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity WHERE application_name = 'ended-at-once'",
      );
      expect(rows).toEqual([{ ended: true }]);
    });
    const failure = await start(link.url, 'ended-at-once').catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: expect.stringContaining('not queryable') });
    expect(isDatabaseUnavailable(failure)).toBe(true);
    link.close();
  });

  it('tells an unreachable server from a wrong statement', async () => {
    const nowhere = createPool({ url: 'postgres://nobody@127.0.0.1:1/none', max: 1, applicationName: 'spec' });
    expect(isDatabaseUnavailable(await nowhere.query('SELECT 1').catch((error: unknown) => error))).toBe(true);
    await nowhere.end();
    expect(isDatabaseUnavailable(await database.pool.query('SELEC 1').catch((error: unknown) => error))).toBe(false);
  });
});

async function startOnPool(url: string, applicationName: string): Promise<void> {
  const pool = createPool({ url, max: 1, applicationName });
  await inTransaction(pool, (client) => client.query('SELECT 1')).finally(() => pool.end());
}

/** As `SettingsModule` does. */
async function startOnTypeOrm(url: string, applicationName: string): Promise<void> {
  const extra = poolConfig({ max: 1, applicationName });
  await new DataSource({ type: 'postgres', url, extra, poolErrorHandler: () => undefined }).initialize();
}

/** ReadyForQuery of an idle session (PostgreSQL, "Message Formats"): the server's last message before the first statement. */
const READY = Buffer.from('Z\0\0\0\u0005I', 'latin1');

/** A way to the server that keeps back the packet with {@link READY} until `meanwhile` has run and the server has hung up. */
async function holdOpening(url: string, meanwhile: () => Promise<void>): Promise<{ url: string; close(): void }> {
  const { hostname, port } = new URL(url);
  const link = createServer((near) => {
    const far = connect(Number(port), hostname);
    const held: Buffer[] = [];
    near.pipe(far).on('error', () => undefined);
    far.on('data', (chunk: Buffer) => {
      if (held.length === 0 && !chunk.includes(READY)) return near.write(chunk);
      if (held.push(chunk) === 1) void meanwhile();
      return true;
    });
    far.on('end', () => near.end(Buffer.concat(held)));
  }).listen(0, '127.0.0.1');
  await once(link, 'listening');
  const here = new URL(url);
  here.host = `127.0.0.1:${(link.address() as AddressInfo).port}`;
  return { url: here.href, close: () => void link.close() };
}
