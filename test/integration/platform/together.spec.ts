import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { onConnection, queryTogether } from '../../../src/platform/postgres/index.js';
import { createTestDatabase, type TestDatabase } from '../../support/services.js';

describe('statements that go together', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  const one = { name: 'one', text: 'SELECT 1 AS n' };
  const list = { text: 'SELECT g AS n FROM generate_series(1, $1::int) g ORDER BY g', values: [3] };
  const failing = { name: 'failing', text: 'SELECT 1 / $1::int AS n', values: [0] };
  const behind = { name: 'behind', text: 'SELECT $1::int AS n', values: [7] };

  it('are answered in order, with and without a name, in one write', () =>
    onConnection(database.pool, async (client) => {
      const { stream } = (client as unknown as { readonly connection: { readonly stream: Socket } }).connection;
      const written = jest.spyOn(stream, '_writev' as never);
      for (const round of [1, 2]) {
        const results = await queryTogether(client, [one, list, behind, one]);
        expect(results.map(({ rows }) => rows.map(({ n }) => n))).toEqual([[1], [1, 2, 3], [7], [1]]);
        expect(written).toHaveBeenCalledTimes(round);
      }
    }));

  it('are all rejected with the error of the one that fails, and can be sent again', () =>
    onConnection(database.pool, async (client) => {
      await expect(
        queryTogether(client, [{ ...one, name: 'before' }, failing, { ...behind, name: 'never-parsed' }]),
      ).rejects.toMatchObject({ code: '22012' });
      const again = await queryTogether(client, [
        { ...one, name: 'before' },
        { ...failing, values: [1] },
        { ...behind, name: 'never-parsed' },
      ]);
      expect(again.map(({ rows }) => rows[0].n)).toEqual([1, 1, 7]);
      expect((await client.query({ ...behind, name: 'never-parsed' })).rows).toEqual([{ n: 7 }]);
    }));

  it('make one transaction of the statements between BEGIN and COMMIT', () =>
    onConnection(database.pool, async (client) => {
      const [, first, second] = await queryTogether(client, [
        { name: 'begin', text: 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY' },
        {
          name: 'transaction',
          text: 'SELECT virtualtransaction AS n FROM pg_locks WHERE pid = pg_backend_pid() LIMIT 1',
        },
        {
          name: 'transaction',
          text: 'SELECT virtualtransaction AS n FROM pg_locks WHERE pid = pg_backend_pid() LIMIT 1',
        },
        { name: 'commit', text: 'COMMIT' },
      ]);
      expect(first!.rows).toEqual(second!.rows);
      await expect(client.query('SAVEPOINT nothing')).rejects.toMatchObject({ code: '25P01' });
    }));

  it('need a name or values, because the simple protocol answers by itself', () =>
    onConnection(database.pool, async (client) => {
      expect(() => queryTogether(client, [one, { text: 'SELECT 2' }])).toThrow(TypeError);
      expect((await client.query('SELECT 3 AS n')).rows).toEqual([{ n: 3 }]);
    }));

  it('are rejected when the connection is lost', async () => {
    const lost = onConnection(database.pool, (client) =>
      queryTogether(client, [one, { name: 'ending', text: 'SELECT pg_terminate_backend(pg_backend_pid())' }, behind]),
    );
    await expect(lost).rejects.toThrow();
    await onConnection(database.pool, async (client) =>
      expect((await queryTogether(client, [one, behind]))[1]!.rows).toEqual([{ n: 7 }]),
    );
  });
});
