import { fork } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createControlLog,
  createControlState,
  readSnapshot,
  RECORDS_A_SNAPSHOT,
  writeSnapshot,
  type ControlRecord,
  type ControlState,
  type NewControlRecord,
  type Seq,
} from '../../src/control/index.js';
import { MIGRATIONS } from '../../src/migrations.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded/index.js';
import { createLog } from '../../src/platform/log/index.js';
import { createPool, runMigrations, type Pool } from '../../src/platform/postgres/index.js';
import { heard } from './introspection-load.js';
import type { Row } from './report.js';

const RULES = 1_000_000;
const TENANT = '00000000-0000-4000-8000-000000000001';
const GIVE_UP_MS = 60_000;
/** Records of one append. */
const COMMITTED_AT_ONCE = 5_000;

interface Started {
  readonly bytesMs: number;
  readonly loadMs: number;
  readonly catchUpMs: number;
  readonly rssMb: number;
}

const tenant: NewControlRecord = {
  kind: 'tenant.changed',
  tenant: TENANT,
  subject: TENANT,
  body: { id: TENANT, name: 'acme', key: randomBytes(32).toString('base64url') },
};

function block(): NewControlRecord {
  const id = randomUUID();
  const selector = { user: { iss: 'https://idp.example', sub: id }, issuer: 'https://idp.example' };
  const body = {
    id,
    effect: 'block',
    selector,
    shape: 0b1_0000_1000,
    key: randomBytes(32).toString('base64url'),
    reauthenticate: false,
    reason: 'bench',
    author: { caller: 'bench' },
  } as const;
  return { kind: 'rule.ordered', tenant: TENANT, subject: id, body };
}

/** Measures how long a node with a million rules takes to be ready, and how much of that loads the rules: the snapshot, and the most records since. */
export async function run(): Promise<readonly Row[]> {
  const home = await mkdtemp(join(tmpdir(), 'rescind-bench-'));
  const log = createLog({ level: 'error' });
  const postgres = await startEmbeddedPostgres({ directory: join(home, 'postgres'), log });
  await runMigrations({ url: postgres.url, migrations: MIGRATIONS });
  const pool = createPool({ url: postgres.url, max: 2, applicationName: 'bench' });
  try {
    const state = await fillState(pool);
    const dumpedAt = performance.now();
    const pieces = state.dump();
    const dumpMs = performance.now() - dumpedAt;
    const mb = pieces.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1e6;
    const writtenAt = performance.now();
    if (!(await writeSnapshot(pool, state))) throw new Error('the snapshot was not written');
    const writeMs = performance.now() - writtenAt;
    const controlLog = createControlLog({ pool });
    for (let from = 0; from < RECORDS_A_SNAPSHOT; from += COMMITTED_AT_ONCE)
      await controlLog.append({ records: Array.from({ length: COMMITTED_AT_ONCE }, block) });

    const started = await startChild(postgres.url);
    // The first start makes the administrator; the second is that of a node that crashed.
    await startNode(home, postgres.url);
    const { upMs, readyMs } = await startNode(home, postgres.url);
    await pool.query('CREATE DATABASE without_rules');
    const withoutRules = new URL(postgres.url);
    withoutRules.pathname = '/without_rules';
    await startNode(home, withoutRules.href);
    const { readyMs: emptyMs } = await startNode(home, withoutRules.href);
    const value = started.loadMs + started.catchUpMs;
    const note = `${RULES} rules: snapshot of ${mb.toFixed(0)} MB loaded in ${started.loadMs.toFixed(0)} ms, ${RECORDS_A_SNAPSHOT} later records read in ${started.catchUpMs.toFixed(0)} ms, RSS ${started.rssMb.toFixed(0)} MB then; dumped in ${dumpMs.toFixed(0)} ms, written in ${writeMs.toFixed(0)} ms; floor: the snapshot's bytes read and dropped`;
    const nodeNote = `a node of its own that was killed, on ${RULES + RECORDS_A_SNAPSHOT} rules: from the start of its process to 200 of /health/ready; it listens after ${upMs.toFixed(0)} ms; floor: the same on no rules`;
    return [
      { name: 'start.ready', value: readyMs, unit: 'ms', floor: emptyMs, ratio: readyMs / emptyMs, note: nodeNote },
      { name: 'start.rules', value, unit: 'ms', floor: started.bytesMs, ratio: value / started.bytesMs, note },
    ];
  } finally {
    await pool.end();
    await postgres.stop();
    await rm(home, { recursive: true, force: true });
  }
}

/** A state of so many records, whose log holds the first and the last of them. */
async function fillState(pool: Pool): Promise<ControlState> {
  const state = createControlState();
  const at = Date.now();
  const apply = (record: NewControlRecord): void =>
    state.apply({ ...record, seq: (state.head + 1n) as Seq, version: 1, at } as ControlRecord);
  apply(tenant);
  for (let nth = 0; nth < RULES; nth++) apply(block());
  await pool.query(`INSERT INTO control_log VALUES ($1, $2, 'rule.lifted', 'bench', 1, $3, '{}')`, [
    String(state.head),
    TENANT,
    new Date(at),
  ]);
  await pool.query('UPDATE control_head SET seq = $1', [String(state.head)]);
  return state;
}

/** A whole node in a process of its own, which is then killed. Milliseconds since the process was started. */
async function startNode(home: string, url: string): Promise<{ readonly upMs: number; readonly readyMs: number }> {
  const startedAt = performance.now();
  const child = fork(fileURLToPath(new URL('./revocation-service.js', import.meta.url)), [
    'serve',
    join(home, 'node'),
    url,
  ]);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    const { url: address } = await heard<{ url: string }>(child);
    const upMs = performance.now() - startedAt;
    while (!(await fetch(`${address}/health/ready`)).ok)
      if (performance.now() - startedAt > GIVE_UP_MS) throw new Error('not ready');
    return { upMs, readyMs: performance.now() - startedAt };
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

function startChild(url: string): Promise<Started> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [url]);
    child.once('message', (started) => resolve(started as Started));
    child.once('exit', (code) => reject(new Error(`the starting process ended with ${code}`)));
  });
}

async function start(url: string): Promise<Started> {
  const pool = createPool({ url, max: 1, applicationName: 'bench' });
  const parts = await pool.query<{ part: number }>('SELECT part FROM control_snapshot_part ORDER BY part');
  const beganAt = performance.now();
  for (const { part } of parts.rows)
    await pool.query('SELECT bytes FROM control_snapshot_part WHERE part = $1', [part]);
  const bytesMs = performance.now() - beganAt;

  const state = createControlState();
  const loadedAt = performance.now();
  const session = await pool.connect();
  if (!(await readSnapshot(session, state))) throw new Error('no snapshot was found');
  session.release();
  const readAt = performance.now();
  const controlLog = createControlLog({ pool });
  for (
    let records = await controlLog.readAfter(state.head);
    records.length > 0;
    records = await controlLog.readAfter(state.head)
  ) {
    for (const record of records) state.apply(record);
  }
  const endedAt = performance.now();
  if (state.tenant(TENANT)!.rules.size !== RULES + RECORDS_A_SNAPSHOT) throw new Error('rules are missing');
  await pool.end();
  return { bytesMs, loadMs: readAt - loadedAt, catchUpMs: endedAt - readAt, rssMb: process.memoryUsage.rss() / 1e6 };
}

const url = process.argv[2];
if (process.send && url?.startsWith('postgres')) {
  process.send(await start(url));
  process.disconnect();
}
