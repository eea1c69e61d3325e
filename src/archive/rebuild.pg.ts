import { setTimeout as delay } from 'node:timers/promises';
import { RescindError } from '../contracts/index.js';
import type { Pool } from '../platform/postgres/index.js';
import { findDamaged, type Damaged } from './check.pg.js';
import { withArchiveLock } from './lock.pg.js';
import { movePlace } from './place.pg.js';
import type { Range } from './segment.js';
import { rewriteSegment } from './write-segment.pg.js';

/** How long a rebuild waits for the service to end the segment that it writes, and how often it asks. */
const LOCK_WAIT_MS = 120_000;
const LOCK_POLL_MS = 200;

export interface ArchiveRebuilt {
  readonly damaged: readonly Damaged[];
  /** Segments that were written anew. */
  readonly segments: number;
  /** Files, among those written anew, whose number of rows is another than before: the tables have changed since. */
  readonly otherRows: number;
}

/**
 * Compares every file of the archive with its manifest row, and writes each segment with a damaged file anew from PostgreSQL. Goes on beside
 * a running service. A directory that is empty becomes the archive's place.
 */
export async function rebuildArchive({
  pool,
  root,
  signal,
  onProgress,
}: {
  readonly pool: Pool;
  readonly root: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: {
    readonly phase: 'checking' | 'writing';
    readonly done: number;
    readonly total: number;
  }) => void;
}): Promise<ArchiveRebuilt> {
  const locked = await waitForLock(
    pool,
    async (client) => {
      const problem = await movePlace(client, root);
      if (problem !== undefined) throw new RescindError('config-invalid', { detail: `${root}: ${problem}` });
      const damaged = await findDamaged({
        pool: client,
        root,
        ...(signal ? { signal } : {}),
        onChecked: (done, total) => onProgress?.({ phase: 'checking', done, total }),
      });
      const ranges = new Map(damaged.map(({ tenant, file }) => [`${tenant} ${file.first}`, { ...file, tenant }]));
      const before = new Map(damaged.map(({ tenant, file }) => [`${tenant} ${file.first} ${file.name}`, file.rows]));
      let otherRows = 0;
      let segments = 0;
      for (const { tenant, first, end, day } of ranges.values()) {
        signal?.throwIfAborted();
        const range = { tenant, first, end, day };
        await refuseCold(client, range);
        for (const { name, rows } of await rewriteSegment({ client, root, range, ...(signal ? { signal } : {}) }))
          if ((before.get(`${tenant} ${first} ${name}`) ?? rows) !== rows) otherRows += 1;
        segments += 1;
        onProgress?.({ phase: 'writing', done: segments, total: ranges.size });
      }
      return { damaged, segments, otherRows };
    },
    signal,
  );
  return locked;
}

/** Uses that have left PostgreSQL can be copied from there again once a rebuild has brought them back. */
async function refuseCold(client: Pick<Pool, 'query'>, { tenant, first }: Range): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM access_cold WHERE tenant = $1 AND end_ix > $2::bigint', [
    tenant,
    String(first),
  ]);
  if (rowCount! > 0)
    throw new RescindError('archive-damaged', {
      detail: `uses of the damaged segment ${first} of ${tenant} have left the database: run \`rescind rebuild usage\`, which brings them back from the ledger, then \`rescind rebuild archive\``,
    });
}

async function waitForLock<T>(
  pool: Pool,
  work: Parameters<typeof withArchiveLock<T>>[1],
  signal?: AbortSignal,
): Promise<T> {
  for (const until = performance.now() + LOCK_WAIT_MS; ; ) {
    const result = await withArchiveLock(pool, async (client) => ({ done: await work(client) }));
    if (result !== undefined) return result.done;
    if (performance.now() > until) throw new RescindError('rebuild-running');
    await delay(LOCK_POLL_MS, undefined, signal ? { signal } : {});
  }
}
