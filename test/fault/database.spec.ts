import { afterEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { join } from 'node:path';
import { cleanUp } from '../support/cleanups.js';
import { createTestDatabase, ownPostgres } from '../support/services.js';
import { canMount, smallDisk } from '../support/small-disk.js';
import { copyDatabase } from './database-copy.js';
import { deploy, until, type Deployment } from './deployment.js';
import { createJudge } from './judge.js';

const TEST_TIMEOUT_MS = 90_000;
const HOUR_MS = 3_600_000;

const cleanups = cleanUp(afterEach);

async function deployed(): Promise<Deployment> {
  const database = await createTestDatabase();
  cleanups.push(() => database.drop());
  const deployment = await deploy(database.url);
  cleanups.push(() => deployment.stop());
  return deployment;
}

describe('a database that was restored from an earlier state', () => {
  it(
    'gets the missing events from Kafka again, and stores every event once',
    async () => {
      const deployment = await deployed();
      const { sendUntilMidBatch, expectWhole, everythingDealtWith, outboxPaid, traffic, dealtWith } =
        createJudge(deployment);
      const sent = traffic(15, 200);
      const pending = [...sent];
      await deployment.start();
      await sendUntilMidBatch({ sent, pending }, sent.length / 3);
      await deployment.kill();
      const before = await dealtWith();
      const saved = await copyDatabase(deployment.url);
      cleanups.push(() => saved.drop());
      await deployment.start();
      await deployment.send(pending);
      await until(() => everythingDealtWith(sent));
      await deployment.kill();
      await saved.restore();
      expect(await dealtWith()).toBe(before);
      await deployment.start();
      await until(() => everythingDealtWith(sent));
      await until(outboxPaid);
      await expectWhole(sent);
    },
    TEST_TIMEOUT_MS,
  );
});

describe('a database whose disk is full', () => {
  // Its tables stand on a disk of their own: what a full one for the write-ahead log does is end the server, as in `kill.spec.ts`.
  (canMount ? it : it.skip)(
    'stores nothing by halves, and goes on by itself when there is room again',
    async () => {
      const postgres = await ownPostgres();
      cleanups.push(() => postgres.remove());
      await postgres.start();
      const disk = await smallDisk(64, join(postgres.directory, 'data'));
      cleanups.push(() => disk.remove());
      const deployment = await deploy(await databaseOn(disk.directory, postgres.url));
      cleanups.push(() => deployment.stop());
      const { expectWhole, everythingDealtWith, outboxPaid, traffic, dealtWith } = createJudge(deployment);
      const sent = traffic(31, 300);
      const third = Math.floor(sent.length / 3);
      await deployment.start();
      await deployment.send(sent.slice(0, third));
      await until(() => everythingDealtWith(sent.slice(0, third)));

      await deployment.pool.query("CREATE TABLE ballast AS SELECT 0 AS n, repeat('x', 4000) AS filling");
      await until(() => isFull(deployment, 1_000));
      await until(() => isFull(deployment, 1));
      const failed = await rollbacks(deployment);
      await deployment.send(sent.slice(third));
      await until(async () => (await rollbacks(deployment)) >= failed + 5);
      expect(await dealtWith()).toBeLessThan(sent.length);

      await deployment.pool.query('DROP TABLE ballast');
      await until(() => everythingDealtWith(sent));
      await until(outboxPaid);
      await expectWhole(sent);
    },
    TEST_TIMEOUT_MS,
  );
});

async function databaseOn(directory: string, url: string): Promise<string> {
  const server = new Client({ connectionString: url });
  await server.connect();
  await server.query(`CREATE TABLESPACE small LOCATION '${directory}'`);
  await server.query('CREATE DATABASE small TABLESPACE small');
  await server.end();
  return Object.assign(new URL(url), { pathname: '/small' }).href;
}

/** Writes so many pages more; whether there was no room for them. */
async function isFull({ pool }: Deployment, pages: number): Promise<boolean> {
  try {
    await pool.query('INSERT INTO ballast SELECT n, repeat(md5(n::text), 250) FROM generate_series(1, $1) n', [pages]);
    return false;
  } catch (error) {
    if ((error as { code?: string }).code === '53100') return true;
    throw error;
  }
}

const rollbacks = async ({ pool }: Deployment): Promise<number> =>
  Number(
    (
      await pool.query<{ n: string }>(
        'SELECT xact_rollback AS n FROM pg_stat_database WHERE datname = current_database()',
      )
    ).rows[0]!.n,
  );

describe('a database host whose clock is set back', () => {
  it(
    'never gives an entry an earlier arrival than the entry before',
    async () => {
      const deployment = await deployed();
      const { expectWhole, everythingDealtWith, outboxPaid, traffic, entries } = createJudge(deployment);
      const sent = traffic(17, 200);
      const half = sent.slice(0, sent.length >> 1);
      const setClock = await ownClock(deployment);
      await deployment.start();
      await deployment.send(half);
      await until(() => everythingDealtWith(half));
      const before = await entries();
      await setClock(-HOUR_MS);
      await deployment.send(sent.slice(half.length));
      await until(() => everythingDealtWith(sent));
      await until(outboxPaid);
      await expectWhole(sent);
      const { rows } = await deployment.pool.query(
        `SELECT count(*) > 0 AS written, bool_and(arrival = (SELECT arrival FROM entry WHERE ix = $1 - 1)) AS "stands still" FROM entry WHERE ix >= $1`,
        [before],
      );
      expect(rows).toEqual([{ written: true, 'stands still': true }]);
    },
    TEST_TIMEOUT_MS,
  );
});

/**
 * The clock as sessions that are opened from now on see it in their statements: a `clock_timestamp()` found before the server's own. The
 * host's clock is not touched, since all of the machine would see it.
 */
async function ownClock({ pool, url }: Deployment): Promise<(offsetMs: number) => Promise<void>> {
  const database = new URL(url).pathname.slice(1);
  await pool.query(`
    CREATE SCHEMA set_clock;
    CREATE TABLE set_clock.moved (by interval NOT NULL);
    INSERT INTO set_clock.moved VALUES ('0');
    CREATE FUNCTION set_clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT pg_catalog.clock_timestamp() + by FROM set_clock.moved';
    ALTER DATABASE ${database} SET search_path = set_clock, pg_catalog, public`);
  return async (offsetMs) =>
    void (await pool.query('UPDATE set_clock.moved SET by = make_interval(secs => $1)', [offsetMs / 1000]));
}
