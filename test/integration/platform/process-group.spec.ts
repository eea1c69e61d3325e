import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cleanUp } from '../../support/cleanups.js';
import { createTestDatabase, type TestDatabase } from '../../support/services.js';

const PROCESSES = 3;
const LIMIT_MS = 30_000;

/** `npm test` builds it first. */
const RESCIND = resolve('dist/cli/rescind.js');

interface Running {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly ended: Promise<number | null>;
}

function serve(home: string, databaseUrl: string): Running {
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    PROCESSES: String(PROCESSES),
    PORT: '0',
    RESCIND_HOME: home,
    DATABASE_URL: databaseUrl,
    KAFKA_BROKERS: 'none',
    LOG_LEVEL: 'info',
    LEASE_SECONDS: '2',
  };
  const child = spawn(process.execPath, [RESCIND, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (out += chunk.toString()));
  return { child, out: () => out, ended: new Promise((done) => child.once('exit', done)) };
}

async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > deadline) throw new Error(`not seen in time: ${what}`);
    await delay(20);
  }
}

describe('several processes on one port', () => {
  let database: TestDatabase;
  let home: string;
  let running: Running;
  let url: string;
  let key: string;

  const cleanups = cleanUp(afterAll);
  beforeAll(async () => {
    database = await createTestDatabase();
    cleanups.push(() => database.drop());
    home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
    cleanups.push(() => rm(home, { recursive: true, force: true }));
    running = serve(home, database.url);
    cleanups.push(() => {
      running.child.kill('SIGKILL');
      return running.ended;
    });
    url = await until('the address', () => /Rescind answers at (\S+), in 3 processes/.exec(running.out())?.[1]);
    key = (await readFile(join(home, 'admin-key'), 'utf8')).trim();
  });

  /** A connection each, so that the processes take turns. */
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${key}`, connection: 'close' },
    });
  const order = async () => {
    const body = JSON.stringify({ selector: { agent_type: 'x' }, reason: 'spec' });
    const answer = await ask('/v1/revocations', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    return { status: answer.status, body: (await answer.json()) as any };
  };
  async function currentProcesses(): Promise<string[]> {
    const text = await (await ask('/metrics')).text();
    return [...text.matchAll(/^rescind_current\{process="(\d)"\} 1$/gm)].map(([, number]) => number!);
  }
  const members = async (): Promise<number[]> => {
    const children = await readFile(`/proc/${running.child.pid}/task/${running.child.pid}/children`, 'utf8');
    return children.split(' ').filter(Boolean).map(Number);
  };

  it('are a node each: an order waits for all of them, and each serves the metrics of all', async () => {
    await until('all current', async () => ((await currentProcesses()).length === PROCESSES ? true : undefined));
    expect(await currentProcesses()).toEqual(['1', '2', '3']);
    expect(await order()).toMatchObject({
      status: 201,
      body: { confirmed: { nodes: PROCESSES, guards: 0, expired: 0 } },
    });
    expect(running.out().match(/Rescind answers/g)).toHaveLength(1);
    expect(running.out()).toMatch(/administrator's key lies in/);
  });

  it('go on when one is killed: orders wait for its lease once, and another process takes its place', async () => {
    const [victim] = await members();
    process.kill(victim!, 'SIGKILL');
    expect(await order()).toMatchObject({ status: 201, body: { confirmed: { nodes: 2, expired: 1 } } });
    await until('another in its place', async () =>
      (await currentProcesses()).length === PROCESSES ? true : undefined,
    );
    expect(await members()).not.toContain(victim);
    expect(await order()).toMatchObject({ status: 201, body: { confirmed: { nodes: PROCESSES, expired: 0 } } });
  });

  it('leave in order on a signal, without a row that an order would wait for', async () => {
    const ids = await members();
    const before = running.out().length;
    running.child.kill('SIGTERM');
    expect(await running.ended).toBe(0);
    expect((await database.pool.query('SELECT id FROM node')).rows).toEqual([]);
    for (const id of ids) expect(() => process.kill(id, 0)).toThrow();
    expect(running.out().slice(before)).toContain('"msg":"stopped"');
    expect(running.out().slice(before)).not.toContain('"level":"error"');
  });

  it('end with the error of a process that cannot start', async () => {
    const wrong = new URL(database.url);
    wrong.pathname = '/nowhere';
    const refused = serve(home, wrong.href);
    expect(await refused.ended).toBe(1);
    expect(refused.out()).toMatch(/^rescind: .*nowhere/m);
  });
});
