import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import {
  createControlFollower,
  createControlLog,
  type ControlFollower,
  type ControlLog,
} from '../../../src/control/index.js';
import { queryDurably } from '../../../src/control/log/durable.pg.js';
import { MIGRATIONS } from '../../../src/migrations.js';
import { createPool, runMigrations, type Pool } from '../../../src/platform/postgres/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { ownPostgres, testLog } from '../../support/services.js';
import { hostClock, LEASE_MS, record, until } from './control-fixture.js';

describe('a database that fails', () => {
  let postgres: Awaited<ReturnType<typeof ownPostgres>>;
  let pool: Pool;
  let controlLog: ControlLog;
  const nodes: ControlFollower[] = [];

  const cleanups = cleanUp(afterAll);
  beforeAll(async () => {
    postgres = await ownPostgres();
    cleanups.push(() => postgres.remove());
    await postgres.start();
    await runMigrations({ url: postgres.url, migrations: MIGRATIONS });
    pool = createPool({ url: postgres.url, max: 4, applicationName: 'spec', onIdleError: () => undefined });
    cleanups.push(() => pool.end());
    controlLog = createControlLog({ pool });
    for (let n = 0; n < 2; n++)
      nodes.push(
        createControlFollower({ url: postgres.url, controlLog, log: testLog(), serves: true, leaseMs: LEASE_MS }),
      );
    for (const node of nodes) {
      cleanups.push(() => node.stop());
      await node.start();
    }
  });

  const allCurrent = (): boolean => nodes.every((node) => node.isCurrent());
  const failureOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'resolved',
      (error: unknown) => (error as { code?: string }).code ?? error,
    );
  const value = async <T>(sql: string): Promise<T> =>
    Object.values((await pool.query<Record<string, T>>(sql)).rows[0]!)[0]!;
  const superuser = async (sql: string): Promise<void> => {
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    await client.query(sql);
    await client.end();
  };

  it('a commit that may not have reached its standby is not taken for durable, and no lease is renewed by one', async () => {
    await superuser('CREATE TABLE probe (n int)');
    await superuser(`ALTER SYSTEM SET synchronous_standby_names = 'nobody'`);
    await superuser('SELECT pg_reload_conf()');
    const client = new Client({ connectionString: postgres.url, application_name: 'probe' });
    await client.connect();
    try {
      // Only a cancellation ends the wait; the server then reports the commit as done, with a warning.
      const commit = failureOf(queryDurably(client, 'INSERT INTO probe VALUES (1)', []));
      await until('it was cancelled as it waited for the standby', () =>
        value(
          `SELECT bool_or(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE application_name = 'probe' AND wait_event = 'SyncRep'`,
        ),
      );
      expect([await commit, await value('SELECT count(*)::int FROM probe')]).toEqual(['database-unavailable', 1]);
      await until('the nodes have lost their leases', () => nodes.every((node) => !node.isCurrent()));
    } finally {
      await superuser('ALTER SYSTEM RESET synchronous_standby_names');
      await superuser('SELECT pg_reload_conf()');
      await client.end();
    }
    await until('the nodes answer again', allCurrent);
    const { lastSeq } = await controlLog.append({ records: [record()] });
    expect(await nodes[0]!.whenInForce(lastSeq)).toMatchObject({ nodes: 2 });
  });

  it('nodes survive a crash of the server: orders confirmed before it stay applied and stored, and orders go on', async () => {
    const { lastSeq: before } = await controlLog.append({ records: [record()] });
    await nodes[0]!.whenInForce(before);
    const crashedAt = hostClock();
    postgres.kill();
    // It answers from memory until its lease ends, and says why it does not from then on.
    await until('no node answers', () => nodes.every((node) => !node.isCurrent()));
    expect(hostClock() - crashedAt).toBeLessThan(0.75 * LEASE_MS + 100);
    expect(nodes.map((node) => node.notCurrentReason())).toEqual(nodes.map(() => 'the database cannot be reached'));
    await postgres.start();
    await until('the nodes answer again', allCurrent);
    const { lastSeq } = await controlLog.append({ records: [record()] });
    expect(lastSeq).toBe(before + 1n);
    expect(await nodes[1]!.whenInForce(lastSeq)).toMatchObject({ nodes: 2, expired: 0 });
  });
});
