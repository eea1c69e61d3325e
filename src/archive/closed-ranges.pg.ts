import { loadSql, type Pool, type PoolClient } from '../platform/postgres/index.js';
import { COUNT_ARRIVED } from '../projections/index.js';
import { DAY_MS, dayOf, type Range } from './segment.js';

const FIND_CLOSED = loadSql(import.meta.url, 'find-closed.sql');

/** A ledger whose next range has closed. */
export interface Due {
  readonly tenant: string;
  readonly first: bigint;
  /** Milliseconds since the range closed. */
  readonly lagMs: number;
  readonly limit: bigint;
  readonly dayEndMs: number;
}

type Row = Record<'tenant' | 'first_ix' | 'limit_ix' | 'day_end_ms' | 'closed_ms' | 'now_ms', string>;

/** Finds the ledgers whose next range has closed, the one that closed first first. */
export async function findDue(client: Pick<Pool, 'query'>, segmentEntries: bigint): Promise<readonly Due[]> {
  const { rows } = await client.query<Row>(FIND_CLOSED, [String(segmentEntries), DAY_MS]);
  return rows.map((row) => ({
    tenant: row.tenant,
    first: BigInt(row.first_ix),
    lagMs: Math.max(0, Number(row.now_ms) - Number(row.closed_ms)),
    limit: BigInt(row.limit_ix),
    dayEndMs: Number(row.day_end_ms),
  }));
}

/** Finds where the range that is due ends. */
export async function findRange(client: PoolClient, { tenant, first, limit, dayEndMs }: Due): Promise<Range> {
  const { rows } = await client.query<{ index: string }>(COUNT_ARRIVED.text, [tenant, dayEndMs - 1, String(limit)]);
  return { tenant, first, end: BigInt(rows[0]!.index), day: dayOf(dayEndMs - DAY_MS) };
}
