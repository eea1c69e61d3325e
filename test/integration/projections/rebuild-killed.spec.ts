import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inTransaction } from '../../../src/platform/postgres/index.js';
import { createQuestions, type Questions } from '../../../src/query/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { API, createStage, type Stage } from '../../support/stage.js';
import { keepEmitting, readSchemas, submitTraffic } from './rebuild-fixture.js';

const RESCIND = resolve('dist/cli/rescind.js');
/** Lineages of about six events each, some late, doubled or contradicted: several batches of a rebuild. */
const LINEAGES = 2_000;
/** Time limit for ten thousand events that are rebuilt a few times; the duration is not promised. */
const LONG_MS = 900_000;
const POLL_MS = 20;

let stage: Stage;
let questions: Questions;
let home: string;
const cleanups = cleanUp(afterAll);
beforeAll(async () => {
  stage = await createStage();
  cleanups.push(() => stage.stop());
  home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
  cleanups.push(() => rm(home, { recursive: true, force: true }));
  questions = createQuestions({ pool: stage.database.pool, control: () => stage.follower.state });
  await submitTraffic(stage, 20261127, LINEAGES);
}, LONG_MS);

const query = async <T extends object>(sql: string, values: unknown[] = []): Promise<T[]> =>
  (await stage.database.pool.query<T>(sql, values)).rows;
const headOf = async (): Promise<string> =>
  (await query<{ next_ix: string }>('SELECT next_ix FROM ledger_head WHERE tenant = $1', [stage.tenant]))[0]!.next_ix;
const oids = async (): Promise<readonly number[]> =>
  (
    await query<{ oid: number }>(
      "SELECT c.oid FROM pg_class c WHERE c.oid = ANY ('{token,access,entity,edge_use,session}'::regclass[]) ORDER BY relname",
    )
  ).map(({ oid }) => oid);

/** Answers from the live tables as of a moment. They stay the same whatever came since. */
async function answers(asOf: string): Promise<unknown> {
  const at = { as_of: asOf };
  return {
    graph: await questions.graph(stage.tenant, { ...at, fold: 'users' }),
    access: await questions.access(stage.tenant, { ...at, limit: '100' }),
    counts: await questions.accessCounts(stage.tenant, at),
    grants: await questions.grants(stage.tenant, { ...at, limit: '100' }),
    connections: await questions.connections(stage.tenant, { ...at, limit: '100' }),
    coverage: await questions.coverage(stage.tenant, at),
    review: await questions.graph(stage.tenant, { ...at, resource: API }),
  };
}

type Rebuilding = ReturnType<typeof rescindRebuild>;

/** A process of its own. */
function rescindRebuild() {
  const env = {
    PATH: process.env['PATH'],
    RESCIND_HOME: home,
    DATABASE_URL: stage.database.url,
    KAFKA_BROKERS: 'none',
    LOG_LEVEL: 'silent',
  };
  const child = spawn(process.execPath, [RESCIND, 'rebuild', 'all', '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const lines = createInterface({ input: child.stderr }).on('line', (line) => said.push(line));
  return {
    kill: () => child.kill('SIGKILL'),
    /** Resolves once it has written this line. */
    async until(line: string): Promise<void> {
      while (!said.includes(line)) await once(lines, 'line');
    },
    ended: once(child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as string | null,
      said,
      out,
    })),
  };
}

/** Its sessions end when the server notices that nobody is there any more: at their next word. */
async function untilNothingIsHeld(): Promise<void> {
  while (
    (
      await query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'rescind-rebuild'",
      )
    ).length > 0
  )
    await delay(POLL_MS);
}

/** Waits until every table can be locked. Beside the rebuild, VACUUM and the outbox take locks too, and give them back. */
async function untilAllCanBeLocked(): Promise<void> {
  const lock = inTransaction(stage.database.pool, (client) =>
    client.query(
      "SET LOCAL lock_timeout = '200ms'; LOCK TABLE ledger_head, projection_gate, token, access, entity, edge_use, session IN ACCESS EXCLUSIVE MODE",
    ),
  );
  const had = await lock.then(
    () => true,
    (error: { code?: string }) => {
      if (error.code !== '55P03') throw error;
      return false;
    },
  );
  if (!had) await untilAllCanBeLocked();
}

/** Waits until the first batch is committed in a new table: far from all of them are. */
async function untilSomeIsRead(): Promise<void> {
  for (;;) {
    const [made] = await query("SELECT FROM pg_tables WHERE schemaname = 'rescind_rebuild' AND tablename = 'access'");
    if (made && (await query('SELECT FROM rescind_rebuild.access LIMIT 1')).length > 0) return;
    await delay(POLL_MS);
  }
}

describe('the process of a rebuild, killed while ingest goes on,', () => {
  it.each<[string, (rebuilding: Rebuilding) => Promise<void>]>([
    ['while it reads', untilSomeIsRead],
    ['while it compares', ({ until }) => until('comparing …')],
    ['as it switches', ({ until }) => until('switching …')],
  ])(
    '%s: the live tables answer as before, no lock is held, and the next rebuild cleans up and finds no difference',
    async (moment, untilMoment) => {
      const before = { head: await headOf(), oids: await oids() };
      const asked = await answers(before.head);
      const name = `live ${moment}`;
      const emitting = keepEmitting(stage, name);
      await emitting.reached(4);

      const rebuilding = rescindRebuild();
      await untilMoment(rebuilding);
      rebuilding.kill();
      const killed = await rebuilding.ended;
      expect([killed.signal, killed.out, killed.said.find((line) => line.startsWith('rescind:'))]).toEqual([
        'SIGKILL',
        '',
        undefined,
      ]);
      if (moment === 'while it reads') expect(killed.said).not.toContain('indexing …');
      await untilNothingIsHeld();
      // Ingest writes on, without waiting for anybody.
      await emitting.reached(emitting.count() + 4);
      const emitted = await emitting.stop();

      expect(await answers(before.head)).toEqual(asked);
      // The switch is one transaction: killed at it, all of it is done or none.
      const [first, ...others] = (await oids()).map((oid, nth) => oid === before.oids[nth]);
      expect(others).toEqual(others.map(() => first));
      if (moment !== 'as it switches') expect(first).toBe(true);
      const live = await query<{ n: string }>(
        "SELECT count(*) AS n FROM access a JOIN token t ON t.tenant = a.tenant AND t.key = a.tok WHERE t.facts->>'jti' LIKE $1",
        [`${name}-%`],
      );
      expect(Number(live[0]!.n)).toBe(emitted);
      await untilAllCanBeLocked();
      expect(await query('SELECT FROM pg_prepared_xacts')).toEqual([]);
      expect(
        await query(
          "SELECT FROM pg_locks WHERE locktype = 'advisory' AND ((classid::bigint << 32) | objid::bigint) IN (7305808869231650670, 7305808869231650671) AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        ),
      ).toEqual([]);

      expect(await readSchemas(stage.database.pool)).toEqual(['rescind_rebuild', 'rescind_replaced']);
      const next = await rescindRebuild().ended;
      expect([next.code, next.signal, next.said.find((line) => line.startsWith('rescind:'))]).toEqual([
        0,
        null,
        undefined,
      ]);
      const rebuilt = JSON.parse(next.out);
      expect(rebuilt).toMatchObject({ switched: true, verified: true, erased: '0' });
      expect(rebuilt.tables.filter((table: any) => table.digest !== table.rebuilt_digest)).toEqual([]);
      expect(Number(rebuilt.entries)).toBeGreaterThan(10_000);
      expect(await readSchemas(stage.database.pool)).toEqual([]);
      expect(await answers(before.head)).toEqual(asked);
    },
    LONG_MS,
  );
});
