import type { Pool, PoolClient } from 'pg';
import type { AudienceTerms } from '../../contracts/index.js';
import { readEntries, type StoredEntry } from '../../log/index.js';
import type { ProjectionName } from '../declarations.js';
import type { FindIds } from '../entities.pg.js';
import type { OwnProjectedEvent, ProjectedEvent } from '../event.js';
import { writeProjections } from '../write.pg.js';
import { withSeenSeqs } from './seen-seqs.pg.js';
import { createSourceResources, readStoredEvent, type Tenant } from './stored-event.js';

/** Entries in one transaction of a rebuild. */
export const BATCH_ENTRIES = 4_000n;

export interface FoldOptions {
  /** Reads the ledger and the live tables. */
  readonly pool: Pool;
  /** Session on which plain table names mean the rebuilt tables, and no live table is visible. */
  readonly writer: PoolClient;
  readonly batchEntries: bigint;
  readonly only: ReadonlySet<ProjectionName>;
  readonly findIds: FindIds;
  /** Returns a tenant's key; rejects if the tenant is not known, or not known yet. */
  readonly tenantKey: (tenant: string) => Promise<Uint8Array>;
  readonly firstResources: (source: string) => AudienceTerms;
  /** Called after each batch. */
  readonly onFolded: () => Promise<void>;
}

export interface Fold {
  /** Finds the entries in the ledger that are not folded yet. */
  left(): Promise<Left>;
  /** Folds the entries that `left` found, tenant by tenant, in the order of indexes. */
  fold(left: Left): Promise<void>;
  /** Entries without a payload so far. */
  readonly erased: bigint;
  readonly folded: bigint;
}

export interface Left {
  readonly entries: bigint;
  readonly ranges: readonly { readonly tenant: string; readonly from: bigint; readonly to: bigint }[];
}

/** Runs the projections' own writers over the ledger's payloads. Its batches may differ from the appender's: batching must not show. */
export function createFold(options: FoldOptions): Fold {
  const { pool, writer, only, findIds, batchEntries } = options;
  const resources = createSourceResources(options.firstResources);
  const next = new Map<string, bigint>();
  let erased = 0n;
  let folded = 0n;

  const read = (tenant: string, from: bigint, to: bigint): Promise<readonly StoredEntry[]> => {
    const reading = readEntries(pool, tenant, from, from + batchEntries < to ? from + batchEntries : to);
    // This read runs ahead of the writing; its failure is handled when its result is awaited.
    reading.catch(() => undefined);
    return reading;
  };

  async function write(tenant: Tenant, entries: readonly StoredEntry[]): Promise<void> {
    const events: ProjectedEvent[] = [];
    const own: OwnProjectedEvent[] = [];
    for (const entry of entries) {
      const stored = readStoredEvent(entry, tenant, resources);
      if (!stored) continue;
      if ('own' in stored) own.push(stored.own);
      else events.push(stored.said);
    }
    const seen = only.has('tokens') ? await withSeenSeqs(pool, events) : events;
    await writer.query('BEGIN');
    try {
      await writeProjections(writer, seen, own, { only, findIds });
      await writer.query('COMMIT');
    } catch (error) {
      await writer.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
    next.set(tenant.id, entries.at(-1)!.index + 1n);
    erased += BigInt(entries.filter(({ payload }) => !payload).length);
    folded += BigInt(entries.length);
    await options.onFolded();
  }

  return {
    async left() {
      const { rows } = await pool.query<{ tenant: string; next_ix: string }>(
        'SELECT tenant, next_ix FROM ledger_head ORDER BY tenant',
      );
      const ranges = rows
        .map(({ tenant, next_ix }) => ({ tenant, from: next.get(tenant) ?? 0n, to: BigInt(next_ix) }))
        .filter(({ from, to }) => from < to);
      return { ranges, entries: ranges.reduce((sum, { from, to }) => sum + to - from, 0n) };
    },
    async fold({ ranges }) {
      for (const { tenant: id, from, to } of ranges) {
        const tenant = { id, key: await options.tenantKey(id) };
        let reading = read(id, from, to);
        for (let at = from; at < to; ) {
          const entries = await reading;
          at += BigInt(entries.length);
          if (at < to) reading = read(id, at, to);
          await write(tenant, entries);
        }
      }
    },
    get erased() {
      return erased;
    },
    get folded() {
      return folded;
    },
  };
}
