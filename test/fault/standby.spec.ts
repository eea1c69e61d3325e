import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFile, copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/platform/embedded/index.js';
import { cleanUp } from '../support/cleanups.js';
import { testLog } from '../support/services.js';
import { until } from './deployment.js';
import { createClient } from './node-client.js';
import { createReleases } from './releases.js';

const TEST_TIMEOUT_MS = 240_000;
const ORDERS = 40;
/** Orders that are under way at once when the primary is killed. */
const WRITERS = 4;
/** Commits wait for the standby from the start on that has this. */
const SYNCHRONOUS = { synchronous_standby_names: 'FIRST 1 (standby)' };

const cleanups = cleanUp(afterEach);

async function query(url: string, sql: string): Promise<number | null> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rowCount;
  } finally {
    await client.end();
  }
}

/** A primary whose commits wait for its standby, both of PostgreSQL 18, and how to start the standby again. */
async function startPair() {
  const directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-pair-`));
  cleanups.push(() => rm(directory, { recursive: true, force: true }));
  const start = async (name: string, settings: Record<string, string> = {}): Promise<EmbeddedPostgres> => {
    const server = await startEmbeddedPostgres({ directory: join(directory, name), log: testLog(), settings });
    cleanups.push(() => server.stop());
    return server;
  };
  const alone = await start('primary');
  const { port, username, password } = new URL(alone.url);
  await query(alone.url, `SELECT pg_create_physical_replication_slot('standby')`);
  await alone.stop();
  const of = (...path: string[]): string => join(directory, 'standby', ...path);
  await promisify(execFile)('sh', [
    '-c',
    'mkdir "$2" && cp -a "$1" "$2"',
    'copy',
    join(directory, 'primary', 'data'),
    of(),
  ]);
  await copyFile(join(directory, 'primary', 'password'), of('password'));
  await writeFile(of('data', 'standby.signal'), '');
  const address = `host=127.0.0.1 port=${port} user=${username} password=${password} application_name=standby`;
  await appendFile(
    of('data', 'postgresql.auto.conf'),
    `primary_conninfo = '${address}'\nprimary_slot_name = 'standby'\n`,
  );
  const primary = await start('primary', SYNCHRONOUS);
  expect(new URL(primary.url).port).toBe(port);
  const startStandby = async (): Promise<EmbeddedPostgres> => {
    const standby = await start('standby');
    await until(
      async () =>
        (await query(
          primary.url,
          `SELECT FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'`,
        )) === 1,
    );
    return standby;
  };
  return { primary, startStandby };
}

describe('a database with a synchronous standby', () => {
  it(
    'answers no order that the standby does not have, and has every order that was answered when the primary is lost',
    async () => {
      const { primary, startStandby } = await startPair();
      let standby = await startStandby();
      let databaseUrl = primary.url;
      const releases = await createReleases(() => databaseUrl);
      cleanups.push(() => releases.end());
      const client = createClient(releases);
      expect((await releases.command('this', 'migrate')).code).toBe(0);
      await releases.start('a', 'this');
      await client.register(await releases.adminKey('a'));
      const [kept, held, ...tokens] = (await Promise.all(Array.from({ length: ORDERS + 2 }, () => client.issue()))) as [
        string,
        string,
        ...string[],
      ];
      const answered: string[] = [];
      const order = async (token: string, key: string = randomUUID()): Promise<number | undefined> => {
        const answer = await client.orderAt('a', token, key);
        await answer?.body?.cancel();
        if (answer?.ok === true) answered.push(token);
        return answer?.status;
      };
      expect([
        await client.isActiveAt('a', tokens[0]!),
        await order(tokens[0]!),
        await client.isActiveAt('a', tokens[0]!),
      ]).toEqual([true, 201, false]);

      // Without the standby the order is refused, and the node stops answering, since its renewals do not commit either.
      await standby.stop();
      const key = randomUUID();
      expect(await order(held, key)).toBe(503);
      await until(async () => (await client.introspectAt('a', kept))?.status === 503);
      standby = await startStandby();
      // 200: the order was stored by the first try, and is not stored again.
      await until(async () => (await order(held, key)) === 200);
      expect([await client.isActiveAt('a', held), await client.isActiveAt('a', kept)]).toEqual([false, true]);

      const waiting = tokens.slice(1);
      const enough = answered.length + WRITERS;
      const writers = Array.from({ length: WRITERS }, async () => {
        for (let token = waiting.pop(); token !== undefined; token = waiting.pop())
          if ((await order(token)) !== 201) return;
      });
      await until(async () => answered.length >= enough);
      process.kill(primary.pid, 'SIGKILL');
      await Promise.all(writers);
      const left = waiting.length;
      expect(left).toBeGreaterThan(0);

      await query(standby.url, 'SELECT pg_promote()');
      databaseUrl = standby.url;
      await releases.stop('a');
      await releases.start('a', 'this');
      await until(async () => client.isActiveAt('a', kept));
      for (const token of answered) expect(await client.isActiveAt('a', token)).toBe(false);
      for (const token of waiting) expect(await client.isActiveAt('a', token)).toBe(true);
      expect(await order(waiting[0]!)).toBe(201);
      expect(await client.isActiveAt('a', waiting[0]!)).toBe(false);
    },
    TEST_TIMEOUT_MS,
  );
});
