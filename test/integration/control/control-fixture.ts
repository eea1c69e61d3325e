import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import {
  createControlFollower,
  createControlLog,
  MIN_LEASE_MS,
  type ControlFollower,
  type ControlLog,
  type NewControlRecord,
  type Seq,
} from '../../../src/control/index.js';
import { MIGRATIONS } from '../../../src/migrations.js';
import { runMigrations, type Pool } from '../../../src/platform/postgres/index.js';
import { hold } from '../../support/hold.js';
import { createMigratedDatabase, testLog } from '../../support/services.js';

export const TENANT = '00000000-0000-4000-8000-000000000001';

/** The smallest record: the tenant, once more. */
export const record = (name = 'acme'): NewControlRecord => ({
  kind: 'tenant.changed',
  tenant: TENANT,
  subject: TENANT,
  body: { id: TENANT, name, key: Buffer.alloc(32, 3).toString('base64url') },
});

/** Waits for what must come about; how soon is not said, only that it does. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`did not come about: ${what}`);
    await delay(2);
  }
}

export interface ControlDatabase {
  readonly url: string;
  readonly pool: Pool;
  readonly controlLog: ControlLog;
  /** A node, or with `serves: false` a process that only follows. Ends with the database. */
  follow(options?: {
    readonly url?: string;
    readonly serves?: boolean;
    readonly controlLog?: ControlLog;
    readonly leaseMs?: number;
  }): Follower;
  /** A node in a process of its own that can be stopped and killed. Ends with the database. */
  spawnNode(options?: { readonly url?: string }): Promise<NodeProcess>;
  append(...records: readonly NewControlRecord[]): Promise<Seq>;
  /** Records that were committed with no notification, or by another release. */
  insertUnannounced(count: number, over?: { readonly version: number }): Promise<void>;
  /** One value of one row. */
  value<T>(sql: string, parameters?: readonly unknown[]): Promise<T>;
  /** Ends sessions of followers, as an administrator or a failing server does. */
  terminateFollowers(): Promise<void>;
  /** Holds what a statement locks until released. */
  hold(sql: string): Promise<() => Promise<void>>;
  drop(): Promise<void>;
}

/** L of the nodes in these specs, the shortest that is allowed. */
export const LEASE_MS = MIN_LEASE_MS;

/** Milliseconds on the clock that all processes of a host share. */
export const hostClock = (): number => Number(process.hrtime.bigint()) / 1e6;

export interface Follower extends ControlFollower {
  /** When `isCurrent` was last seen to hold (`hostClock`), sampled without pause; with `seq`, without having applied it. 0: never. */
  lastCurrentAt(seq?: bigint): number;
}

export interface NodeProcess {
  readonly signal: (name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL') => void;
  /** Asks the process whether it is current, and for its head. */
  ask(): Promise<{ readonly current: boolean; readonly head: bigint }>;
  /** Reads `Follower.lastCurrentAt` of the process. */
  lastCurrentAt(seq: bigint): Promise<number>;
  /** In order. */
  stop(): Promise<void>;
}

/** Observations of one node: for each head, the last time when the node was current with it. */
type Sightings = readonly (readonly [head: bigint, at: number])[];

const lastBelow = (sightings: Sightings, seq: bigint): number =>
  Math.max(0, ...sightings.filter(([head]) => head < seq).map(([, at]) => at));

/** A database of its own with the control log's tables. */
export async function createControlDatabase(): Promise<ControlDatabase> {
  const database = await createMigratedDatabase();
  await runMigrations({ url: database.url, migrations: MIGRATIONS });
  const { pool, url } = database;
  const controlLog = createControlLog({ pool });
  const followers: ControlFollower[] = [];
  const watches: NodeJS.Timeout[] = [];
  const kills: (() => Promise<void>)[] = [];

  return {
    url,
    pool,
    controlLog,
    follow({ url: from = url, controlLog: reads = controlLog, serves = true, leaseMs = LEASE_MS } = {}) {
      const follower = createControlFollower({ url: from, controlLog: reads, log: testLog(), serves, leaseMs });
      followers.push(follower);
      const sightings = new Map<bigint, number>();
      watches.push(
        setInterval(() => {
          const at = hostClock();
          if (follower.isCurrent()) sightings.set(follower.state.head, at);
        }, 1),
      );
      return { ...follower, lastCurrentAt: (seq = follower.state.head + 1n) => lastBelow([...sightings], seq) };
    },
    async spawnNode({ url: from = url } = {}) {
      const { node, kill } = await spawnNode(from);
      kills.push(kill);
      return node;
    },
    async append(...records) {
      return (await controlLog.append({ records: records.length > 0 ? records : [record()] })).lastSeq;
    },
    async insertUnannounced(count, { version } = { version: 1 }) {
      await pool.query(
        `WITH head AS (UPDATE control_head SET seq = seq + $1::int RETURNING seq)
         INSERT INTO control_log SELECT head.seq - $1::int + n, $2::uuid, 'tenant.changed', $2, $3, now(), $4 FROM head, generate_series(1, $1::int) n`,
        [count, TENANT, version, record().body],
      );
    },
    async value<T>(sql: string, parameters: readonly unknown[] = []) {
      const { rows } = await pool.query<Record<string, T>>(sql, [...parameters]);
      return Object.values(rows[0] ?? {})[0] as T;
    },
    async terminateFollowers() {
      await pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'rescind-control'`,
      );
    },
    hold: (sql) => hold(pool, sql),
    async drop() {
      for (const watch of watches) clearInterval(watch);
      await Promise.all(kills.map((kill) => kill()));
      await Promise.all(followers.map((follower) => follower.stop()));
      await database.drop();
    },
  };
}

async function spawnNode(url: string): Promise<{ node: NodeProcess; kill: () => Promise<void> }> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./node-process.mjs', import.meta.url)), url, String(LEASE_MS)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the node ended');
    return value as string;
  };
  const ask = async (): Promise<{ current: boolean; head: string; sightings: [string, number][] }> => {
    child.stdin.write('ask\n');
    return JSON.parse(await next());
  };
  const node: NodeProcess = {
    signal: (name) => void child.kill(name),
    async ask() {
      const { current, head } = await ask();
      return { current, head: BigInt(head) };
    },
    async lastCurrentAt(seq) {
      return lastBelow(
        (await ask()).sightings.map(([head, at]) => [BigInt(head), at] as const),
        seq,
      );
    },
    async stop() {
      child.stdin.write('stop\n');
      await exited;
    },
  };
  async function kill(): Promise<void> {
    child.kill('SIGKILL');
    await exited;
  }
  if ((await next()) !== 'ready') throw new Error('the node did not start');
  return { node, kill };
}

export interface Link {
  /** The server, as seen through the link. */
  readonly url: string;
  /** Lets nothing pass in either direction from now on, and tells nobody: a network that fails, a host that stops. */
  sever(): void;
  close(): Promise<void>;
}

export async function startLink(serverUrl: string): Promise<Link> {
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let severed = false;
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => severed || to.write(bytes));
      from.on('close', () => severed || to.destroy());
      from.on('error', () => undefined);
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = new URL(serverUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as { port: number }).port);
  return {
    url: url.href,
    sever() {
      severed = true;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

export interface Gate {
  readonly log: ControlLog;
  close(): void;
  open(): void;
  /** Lets some reads through and stays closed. */
  letThrough(count: number): void;
  /** A read waits. */
  isReached(): boolean;
}

/** Holds back the reads of a follower, as a process stands that is slow or stopped. */
export function createGate(log: ControlLog): Gate {
  let permits = Infinity;
  let waiting: (() => void) | undefined;
  const pass = (): void => {
    const go = waiting;
    waiting = undefined;
    go?.();
  };
  return {
    log: {
      ...log,
      async readAfter(seq, session) {
        if (permits <= 0) {
          await new Promise<void>((resolve) => {
            waiting = resolve;
          });
        }
        permits -= 1;
        return log.readAfter(seq, session);
      },
    },
    close: () => void (permits = 0),
    open() {
      permits = Infinity;
      pass();
    },
    letThrough(count) {
      permits = count;
      pass();
    },
    isReached: () => waiting !== undefined,
  };
}
