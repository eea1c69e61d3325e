import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { appendEntries, createLedgerDirectory, prepareEntry, type LedgerDirectory } from '../../../src/log/index.js';
import {
  createLedgerKeeper,
  type LedgerKeeper,
  type LedgerKeeperOptions,
} from '../../../src/log/publish/ledger-keeper.js';
import { inTransaction, type Pool } from '../../../src/platform/postgres/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { startParts } from '../../support/cleanups.js';
import { createMigratedDatabase, testLog } from '../../support/services.js';

export const LOG_ORIGIN = 'log.rescind.example';

/** A ledger on a database of its own, written by nothing but `append`. */
export interface LedgerWorld {
  readonly pool: Pool;
  readonly url: string;
  readonly tenant: string;
  readonly root: string;
  readonly directory: LedgerDirectory;
  append(count: number, tenant?: string): Promise<void>;
  /** A keeper that looks every 10 ms; the world stops it. */
  keeper(over?: Partial<LedgerKeeperOptions>): LedgerKeeper;
  query<R extends object = Record<string, any>>(sql: string, values?: readonly unknown[]): Promise<R[]>;
  /** Size that the newest served checkpoint covers. */
  publishedSize(tenant?: string): Promise<bigint>;
  /** Waits until the newest checkpoint covers `size` entries. */
  untilPublished(size: bigint, tenant?: string): Promise<void>;
  /** Names of a tenant's files. */
  files(tenant?: string): Promise<readonly string[]>;
  stop(): Promise<void>;
}

const SAME = () => 'the same';
let made = 0;

/** An entry of Rescind's own, under an id of its own. */
export function entryOf(tenant: string, bytes: Buffer) {
  made += 1;
  return prepareEntry({
    tenant,
    tenantKey: Buffer.alloc(32, 7),
    type: 'dev.rescind.session.ended.v1',
    source: tenant,
    eventId: `event-${made}`,
    mode: 'own',
    headers: [],
    bytes,
  });
}

export const createLedgerWorld = (): Promise<LedgerWorld> =>
  startParts(async (cleanups) => {
    const database = await createMigratedDatabase();
    cleanups.push(() => database.drop());
    const root = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-ledger-`));
    cleanups.push(() => rm(root, { recursive: true, force: true }));
    const { pool } = database;
    const ours = '0192f0c1-7d3e-7a10-9c55-3f1f2b8f4b01';
    const directory = createLedgerDirectory(root);
    const query = async <R extends object>(sql: string, values: readonly unknown[] = []) =>
      (await pool.query(sql, [...values])).rows as R[];
    const publishedSize = async (tenant = ours): Promise<bigint> => {
      const [row] = await query<{ size: string }>(
        'SELECT size FROM ledger_checkpoint WHERE tenant = $1 ORDER BY incarnation DESC LIMIT 1',
        [tenant],
      );
      return BigInt(row?.size ?? 0);
    };
    return {
      pool,
      url: database.url,
      tenant: ours,
      root,
      directory,
      query,
      publishedSize,
      async append(count, tenant = ours) {
        const entries = Array.from({ length: count }, (_, nth) => entryOf(tenant, Buffer.from(`{"nth":${nth}}`)));
        await inTransaction(pool, (client) => appendEntries(client, entries, SAME));
      },
      keeper(over = {}) {
        const keeper = createLedgerKeeper({
          pool,
          logOrigin: LOG_ORIGIN,
          directory,
          anchors: [],
          log: testLog(),
          metrics: createMetrics({}),
          lookEveryMs: 10,
          ...over,
        });
        keeper.start();
        cleanups.push(() => keeper.stop());
        return keeper;
      },
      async untilPublished(size, tenant) {
        while ((await publishedSize(tenant)) < size) await new Promise((resolve) => setTimeout(resolve, 10));
      },
      files: async (tenant = ours) => (await readdir(join(root, tenant)).catch(() => [])).sort(),
    };
  });
