import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  appendEntries,
  createLedgerDirectory,
  prepareEntry,
  readPublished,
  type Continuation,
  type LedgerDirectory,
  type NewEntry,
} from '../../../src/log/index.js';
import {
  createLedgerKeeper,
  type LedgerKeeper,
  type LedgerKeeperOptions,
} from '../../../src/log/publish/ledger-keeper.js';
import { parseCheckpoint, parseNote } from '../../../src/merkle/index.js';
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
function entryOf(tenant: string, bytes: Buffer, name = 'session.ended'): NewEntry {
  made += 1;
  return prepareEntry({
    tenant,
    tenantKey: Buffer.alloc(32, 7),
    type: `dev.rescind.${name}.v1`,
    source: tenant,
    eventId: `event-${made}`,
    mode: 'own',
    headers: [],
    bytes,
  });
}

/** Makes the first entry of an incarnation, as `rescind ledger continue` does. */
export const continuationOf =
  (tenant: string) =>
  ({ origin, last, lastOrigin, kept }: Continuation): NewEntry => {
    const data = {
      origin,
      last: { origin: lastOrigin, size: String(last.size), root: last.root.toString('base64') },
      kept: String(kept),
      reason: 'a spec',
    };
    return entryOf(tenant, Buffer.from(JSON.stringify({ data })), 'ledger.continued');
  };

/** Grows an empty ledger to each of the sizes, and returns the checkpoint of each. */
export async function publishSizes(world: LedgerWorld, sizes: readonly number[]): Promise<readonly string[]> {
  const keeper = world.keeper();
  const notes: string[] = [];
  let size = 0;
  for (const next of sizes) {
    await world.append(next - size);
    size = next;
    await world.untilPublished(BigInt(size));
    notes.push((await readPublished(world.pool, world.tenant))!.note);
  }
  await keeper.stop();
  return notes;
}

/** Puts the tables back to what they were when the ledger had `size` entries, as an old backup does. */
export async function restore({ query, tenant }: LedgerWorld, size: number, checkpoint: string): Promise<void> {
  await query('DELETE FROM entry WHERE tenant = $1 AND ix >= $2', [tenant, size]);
  await query('DELETE FROM payload WHERE tenant = $1 AND ix >= $2', [tenant, size]);
  await query('DELETE FROM dedupe WHERE tenant = $1 AND ix >= $2', [tenant, size]);
  await query('UPDATE ledger_head SET next_ix = $2 WHERE tenant = $1', [tenant, size]);
  await query('DELETE FROM tree_tile WHERE tenant = $1 AND (n + 1) * 256 > $2', [tenant, size]);
  const { root } = parseCheckpoint(parseNote(checkpoint)!.text)!;
  await query('UPDATE tree_head SET size = $2, root = $3 WHERE tenant = $1', [tenant, size, root]);
  await query('UPDATE ledger_checkpoint SET size = $2, note = $3 WHERE tenant = $1', [tenant, size, checkpoint]);
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
