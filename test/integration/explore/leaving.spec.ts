import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startTwoTenants } from '../query/two-tenants.js';

const run = promisify(execFile);

/** Uses with many scopes each: counting their groups takes the engine seconds, and little memory. */
const USES = 40_000;
const SCOPES = 400;
const HEAVY = {
  by: ['scope', 'hour_of_day'],
  measures: ['calls', 'users', 'clients', 'agents', 'addresses', 'tokens'],
  from: '2020-01-01',
};
/** Processor time after which the engine must be computing, in ticks of a hundredth of a second. */
const BUSY_TICKS = 30;

let world: Awaited<ReturnType<typeof startTwoTenants>>;
beforeAll(async () => {
  world = await startTwoTenants();
  await world.pool.query(
    `WITH one AS (
       SELECT a.*, h.next_ix FROM access a JOIN ledger_head h ON h.tenant = a.tenant
       WHERE a.tenant = (SELECT tenant FROM control_log WHERE kind = 'tenant.changed' AND body ->> 'name' = 'acme' LIMIT 1) ORDER BY a.ix LIMIT 1
     ), made AS (
       INSERT INTO access (tenant, ix, bound_ix, at, until_at, usr, client, res, scopes, op, outcome, source, tok, n)
       SELECT tenant, next_ix + nth, next_ix + nth, at, at, usr, client, res, ARRAY(SELECT generate_series(1, $2::int)), op, outcome, source, tok, 1
       FROM one, generate_series(0, $1::int - 1) AS nth
     )
     UPDATE ledger_head SET next_ix = next_ix + $1::int WHERE tenant = (SELECT tenant FROM one)`,
    [USES, SCOPES],
  );
}, 120_000);
afterAll(() => world.stop());

const explore = (body: object, signal?: AbortSignal) =>
  fetch(`${world.url}/v1/explore`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.planted.acme.keys.audit}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });

/** How many statements of the engine ended so. */
async function ended(outcome: string): Promise<number> {
  const text = await (await fetch(`${world.url}/metrics`)).text();
  return Number(new RegExp(`^rescind_explore_questions_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm').exec(text)![1]);
}

async function engine(): Promise<number> {
  const { stdout } = await run('pgrep', ['-P', String(process.pid), '-f', 'explore/engine/child']);
  return Number(stdout);
}

/** Processor time of a process, user's and system's (proc(5)). */
async function ticksOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

it('a client that leaves ends the computing of its question, and others are answered', async () => {
  // Loads the tail and starts the engine.
  const first = await explore({ from: '2020-01-01' });
  const whole = (await first.json()) as any;
  expect([first.status, whole]).toEqual([200, expect.objectContaining({ items: expect.any(Array) })]);
  expect(whole.items[0].values.calls).toBeGreaterThan(USES);
  const pid = await engine();

  // A machine may be so fast that the question is answered before its client leaves: then another client leaves.
  while ((await ended('cancelled')) === 0) {
    const before = (await ended('answered')) + (await ended('cancelled'));
    const start = await ticksOf(pid);
    const left = new AbortController();
    const answers: Response[] = [];
    const asked = explore(HEAVY, left.signal).then(
      (answer) => answers.push(answer),
      () => undefined,
    );
    while (answers.length === 0 && (await ticksOf(pid)) - start < BUSY_TICKS) await delay(5);
    left.abort();
    await asked;
    while ((await ended('answered')) + (await ended('cancelled')) === before) await delay(20);
  }
  expect([await ended('failed'), await ended('too-long'), await ended('too-large')]).toEqual([0, 0, 0]);

  expect([(await explore({ from: '2020-01-01' })).status, await engine()]).toEqual([200, pid]);
}, 120_000);
