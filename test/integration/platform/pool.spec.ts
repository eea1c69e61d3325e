import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPool, inTransaction, isDatabaseUnavailable } from '../../../src/platform/index.js';
import { createTestDatabase, type TestDatabase } from '../../support/services.js';

describe('the pool', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    await database.pool.query('CREATE TABLE item (n bigint PRIMARY KEY)');
  });
  afterAll(() => database.drop());

  const items = async (): Promise<unknown[]> => (await database.pool.query<{ n: string }>('SELECT n FROM item ORDER BY n')).rows.map(({ n }) => n);

  it('bounds statements, idle transactions and whole transactions on the server', async () => {
    const { rows } = await database.pool.query(
      `SELECT current_setting('statement_timeout') AS statement, current_setting('idle_in_transaction_session_timeout') AS idle,
              current_setting('transaction_timeout') AS transaction, current_setting('TimeZone') AS zone`,
    );
    expect(rows).toEqual([{ statement: '30s', idle: '10s', transaction: '1min', zone: 'UTC' }]);
  });

  it('gives 64-bit integers as text, exactly', async () => {
    expect((await database.pool.query("SELECT 9007199254740993::bigint AS n")).rows).toEqual([{ n: '9007199254740993' }]);
  });

  it('commits what resolves and nothing of what rejects', async () => {
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

  it('does not give back a connection that broke, and goes on with another', async () => {
    const failure = await inTransaction(database.pool, async (client) => {
      await client.query('INSERT INTO item VALUES (3)');
      await client.query('SELECT pg_terminate_backend(pg_backend_pid())');
    }).catch((error: unknown) => error);
    expect(isDatabaseUnavailable(failure)).toBe(true);
    expect(await items()).toEqual(['1']);
  });

  it('tells a server that is not there from a statement that is wrong', async () => {
    const nowhere = createPool({ url: 'postgres://nobody@127.0.0.1:1/none', max: 1, applicationName: 'spec' });
    expect(isDatabaseUnavailable(await nowhere.query('SELECT 1').catch((error: unknown) => error))).toBe(true);
    await nowhere.end();
    expect(isDatabaseUnavailable(await database.pool.query('SELEC 1').catch((error: unknown) => error))).toBe(false);
  });
});
