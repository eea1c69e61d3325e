import { loadSql } from '../../platform/postgres/index.js';
import type { ReadsUses, UsesRead } from '../cold/uses-read.js';
import { firstOfBlock } from './blocks.js';

/**
 * A moment of one tenant's ledger, and the function that reads at it; a snapshot of `query` is one. `present`: no entry exists from
 * `index` on in the reading transaction. `$1` of each statement is the tenant.
 */
export interface UsageMoment {
  readonly index: bigint;
  readonly present: boolean;
  readonly rows: <R extends Record<string, unknown>>(
    sql: string | { readonly name?: string; readonly text: string; readonly uses?: ReadsUses },
    values?: readonly unknown[],
  ) => Promise<R[]>;
}

/** Sums of attributed uses; a summary counts with its own count. `n` counts all uses, the other members only allowed ones. */
export interface UseSums {
  readonly n: number;
  readonly allowed: number;
  readonly reads: number;
  readonly writes: number;
  readonly deletes: number;
  readonly exports: number;
  readonly admins: number;
  readonly records: number;
  readonly bytes: number;
}

export interface HourUses extends UseSums {
  /** Hour of the access: epoch seconds / 3,600. For a summary, the hour of its beginning. */
  readonly hour: number;
}

const HOUR_USES = loadSql(import.meta.url, 'hour-uses.sql');
const hourUsesOf = (table: string, stored: string, raw: string): string =>
  HOUR_USES.replaceAll('{table}', table).replaceAll('{stored}', stored).replaceAll('{raw}', raw);
const HOUR_STATEMENTS = {
  total: hourUsesOf('use_total', '$5::int[] IS NULL', 'true'),
  client: hourUsesOf('use_client', 'u.client = ANY ($5::int[])', 'a.client = ANY ($5)'),
  resource: hourUsesOf('use_res', 'u.res = ANY ($5::int[])', 'a.res = ANY ($5)'),
} as const;

const HOUR_USES_NOW = loadSql(import.meta.url, 'hour-uses-now.sql');
const hourUsesNowOf = (table: string, stored: string): { readonly name: string; readonly text: string } => ({
  name: `hour-uses-now-${table}`,
  text: HOUR_USES_NOW.replace('{table}', table).replace('{stored}', stored),
});
const HOUR_STATEMENTS_NOW = {
  total: hourUsesNowOf('use_total', '$5::int[] IS NULL'),
  client: hourUsesNowOf('use_client', 'u.client = ANY ($5::int[])'),
  resource: hourUsesNowOf('use_res', 'u.res = ANY ($5::int[])'),
} as const;

/** Selects all uses of the tenant, or the uses of any of these clients or resources. */
export type HourSubject =
  | { readonly of: 'total' }
  | { readonly of: 'client' | 'resource'; readonly ids: readonly number[] };

/**
 * Reads the uses of whole hours, first ≤ hour < end, as of the moment, in one statement. An hour without uses has no row. With `each`,
 * so many hours may be summed into the first of them, counted from the epoch.
 */
export async function readHourUses(
  moment: UsageMoment,
  subject: HourSubject,
  { first, end, each = 1 }: { readonly first: number; readonly end: number; readonly each?: number },
): Promise<HourUses[]> {
  const ids = subject.of === 'total' ? null : subject.ids;
  const rows = moment.present
    ? await moment.rows<Row>(HOUR_STATEMENTS_NOW[subject.of], [first, end, each, ids])
    : await moment.rows<Row>(
        { text: HOUR_STATEMENTS[subject.of], uses: () => [openUsesOf(moment, subject, { first, end })] },
        [String(moment.index), first, end, ids],
      );
  return rows.map((row) => ({ hour: Number(row['hour']), ...sumsOf(row) }));
}

const TOTAL_USES = loadSql(import.meta.url, 'total-uses.sql');
const totalUsesOf = (table: string, column: string): string =>
  TOTAL_USES.replace('{table}', table).replaceAll('{column}', column);
const TOTAL_STATEMENTS = {
  client: totalUsesOf('use_client', 'client'),
  resource: totalUsesOf('use_res', 'res'),
} as const;
/** Returns the statement for now, when the stored sums suffice. */
const totalUsesNowOf = (table: string, column: string): { readonly name: string; readonly text: string } => ({
  name: `total-uses-now-${table}`,
  text: `SELECT coalesce(sum(n), 0) AS n, coalesce(sum(allowed), 0) AS allowed, coalesce(sum(records), 0) AS records, coalesce(sum(bytes), 0) AS bytes
    FROM ${table} WHERE tenant = $1 AND hour >= $2::int AND hour < $3::int AND ${column} = ANY ($4::int[])`,
});
const TOTAL_STATEMENTS_NOW = {
  client: totalUsesNowOf('use_client', 'client'),
  resource: totalUsesNowOf('use_res', 'res'),
} as const;

/** Reads one sum over the uses of whole hours, first ≤ hour < end, as of the moment. */
export async function readTotalUses(
  moment: UsageMoment,
  { of, ids }: Exclude<HourSubject, { of: 'total' }>,
  { first, end }: { readonly first: number; readonly end: number },
): Promise<Pick<UseSums, 'n' | 'allowed' | 'records' | 'bytes'>> {
  const [row] = moment.present
    ? await moment.rows<Row>(TOTAL_STATEMENTS_NOW[of], [first, end, ids])
    : await moment.rows<Row>(
        { text: TOTAL_STATEMENTS[of], uses: () => [openUsesOf(moment, { of, ids }, { first, end })] },
        [String(moment.index), first, end, ids],
      );
  return {
    n: Number(row!['n']),
    allowed: Number(row!['allowed']),
    records: Number(row!['records']),
    bytes: Number(row!['bytes']),
  };
}

const HOUR_S = 3_600;
/** The single uses of the open block. */
const openUsesOf = (
  { index }: UsageMoment,
  subject: HourSubject,
  { first, end }: { readonly first: number; readonly end: number },
): UsesRead => ({
  index,
  since: firstOfBlock(index),
  from: first * HOUR_S,
  to: end * HOUR_S,
  ...(subject.of === 'client' ? { client: subject.ids } : subject.of === 'resource' ? { res: subject.ids } : {}),
});

type Row = Record<string, string | number | null>;

const sumsOf = (row: Row): UseSums => ({
  n: Number(row['n']),
  allowed: Number(row['allowed']),
  reads: Number(row['reads']),
  writes: Number(row['writes']),
  deletes: Number(row['deletes']),
  exports: Number(row['exports']),
  admins: Number(row['admins']),
  records: Number(row['records']),
  bytes: Number(row['bytes']),
});
