import { createServer, connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createControlFollower, createControlLog, type ControlFollower, type ControlLog, type NewControlRecord, type Seq } from '../../../src/control/index.js';
import { MIGRATIONS } from '../../../src/migrations.js';
import { runMigrations, type Pool } from '../../../src/platform/index.js';
import { createTestDatabase, testLog } from '../../support/services.js';

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
  /** A process that follows the log. Ends with the database. */
  follow(options?: { readonly url?: string; readonly serves?: boolean; readonly controlLog?: ControlLog }): Follower;
  append(...records: readonly NewControlRecord[]): Promise<Seq>;
  /** Records that were committed with no notification, or by another release. */
  insertUnannounced(count: number, over?: { readonly version: number }): Promise<void>;
  /** One value of one row. */
  value<T>(sql: string, parameters?: readonly unknown[]): Promise<T>;
  /** Ends sessions of followers, as an administrator or a failing server does. */
  terminateFollowers(): Promise<void>;
  /** Holds what a statement locks until released. */
  hold(sql: string): Promise<{ release(): Promise<void> }>;
  drop(): Promise<void>;
}

export interface Follower extends ControlFollower {
  /** When `isCurrent` was last seen to hold, sampled without pause since the start; 0 before. */
  lastCurrentAt(): number;
}

/** A database of its own with the control log's tables. */
export async function createControlDatabase(): Promise<ControlDatabase> {
  const database = await createTestDatabase();
  await runMigrations({ url: database.url, migrations: MIGRATIONS });
  const { pool, url } = database;
  const controlLog = createControlLog({ pool });
  const followers: ControlFollower[] = [];
  const watches: NodeJS.Timeout[] = [];

  return {
    url,
    pool,
    controlLog,
    follow(options = {}) {
      const follower = createControlFollower({ url: options.url ?? url, controlLog: options.controlLog ?? controlLog, log: testLog(), serves: options.serves ?? true });
      followers.push(follower);
      let lastCurrentAt = 0;
      watches.push(
        setInterval(() => {
          if (follower.isCurrent()) lastCurrentAt = performance.now();
        }, 1),
      );
      return { ...follower, lastCurrentAt: () => lastCurrentAt };
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
      await pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'rescind-control'`);
    },
    async hold(sql) {
      const client = await pool.connect();
      await client.query('BEGIN');
      await client.query(sql);
      return {
        async release() {
          await client.query('ROLLBACK');
          client.release();
        },
      };
    },
    async drop() {
      for (const watch of watches) clearInterval(watch);
      await Promise.all(followers.map((follower) => follower.stop()));
      await database.drop();
    },
  };
}

export interface Link {
  /** The server, as seen through the link. */
  readonly url: string;
  /** From now on nothing passes in either direction, and nobody is told: a network that fails, a host that stops. */
  sever(): void;
  close(): Promise<void>;
}

export async function startLink(serverUrl: string): Promise<Link> {
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let severed = false;
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [from, to] of [[near, far], [far, near]] as const) {
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
