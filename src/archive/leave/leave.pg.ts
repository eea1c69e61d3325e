import type { Log } from '../../platform/log/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import { deleteCold, dropPartition, isHeldUp, LEAVE_STEP, makePartitions, readShape } from '../../projections/index.js';
import { withArchiveLock } from '../lock.pg.js';
import { isPlace } from '../place.pg.js';
import { findVerified, type Verified } from './verified.pg.js';

const DAY_S = 86_400;
/** Partitions in which the hot uses lie. */
const PARTITIONS = 8;
/** Steps of deletion in one turn; the next turn goes on. */
const MAX_STEPS = 200;

export interface LeaveOptions {
  readonly pool: Pool;
  readonly root: string;
  readonly log: Log;
  /** Whole days that uses stay in PostgreSQL. */
  readonly hotDays: number;
  /** Epoch seconds. Default: the clock of the database. */
  readonly nowS?: number;
  /** The files that earlier turns have verified. */
  readonly verified?: Verified;
  readonly signal?: AbortSignal;
}

export interface Left {
  readonly uses: number;
  readonly partitions: number;
  /** Old uses of partitions that may not leave yet. */
  readonly staying: number;
}

/**
 * Lets the uses leave PostgreSQL whose time is more than `hotDays` whole days back, and which the verified archive has. Resolves to undefined if
 * another process writes the archive, or if this directory is not the archive's own.
 */
export function leaveDue({
  pool,
  root,
  log,
  hotDays,
  nowS,
  verified = new Map(),
  signal,
}: LeaveOptions): Promise<Left | undefined> {
  return withArchiveLock(pool, async (client) => {
    if (!(await isPlace(client, root))) return undefined;
    const now =
      nowS ??
      Number((await client.query<{ now: string }>('SELECT extract(epoch FROM now())::bigint AS now')).rows[0]!.now);
    const before = (Math.floor(now / DAY_S) - hotDays) * DAY_S;
    const heldUp = (what: string) => (err: unknown) => {
      if (!isHeldUp(err)) throw err;
      log.info({ reason: (err as Error).message }, `${what} is tried again later`);
    };
    await makePartitions(client, { widthS: Math.max(1, Math.round(hotDays / PARTITIONS)) * DAY_S, nowS: now }).catch(
      heldUp('making partitions of uses'),
    );
    const archived = await findVerified(client, { root, before, verified, signal });
    const left = { uses: 0, partitions: 0, staying: 0 };
    const shape = await readShape(client);
    for (const partition of shape.partitions) {
      signal?.throwIfAborted();
      if (partition.to > before) break;
      const dropped = await dropPartition(client, shape, partition, archived).catch(heldUp('dropping old uses'));
      if (dropped === undefined) break;
      left.staying += dropped.stayed;
      left.partitions += dropped.dropped ? 1 : 0;
      // Where too many must stay to be moved, the others leave one by one.
      left.uses += dropped.dropped ? dropped.uses : await deleteAll(partition.name);
    }
    left.uses += await deleteAll(shape.rest);
    return left;

    async function deleteAll(table: string): Promise<number> {
      let all = 0;
      for (let step = 0, gone = LEAVE_STEP; gone === LEAVE_STEP && step < MAX_STEPS; step += 1) {
        signal?.throwIfAborted();
        gone = await deleteCold(client, { table, before, archived });
        all += gone;
      }
      return all;
    }
  });
}
