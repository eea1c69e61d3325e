import type { Pool } from 'pg';
import { RescindError } from '../contracts/index.js';
import { commitment, parseAttributes } from '../merkle/index.js';
import { loadSql } from '../platform/postgres/index.js';
import type { ArrivalMode, LogIndex } from './append.pg.js';

const READ_ENTRIES = loadSql(import.meta.url, 'read-entries.sql');

/** Payload bytes after which one read ends, however few entries it has. */
const MAX_READ_BYTES = 16 * 1024 * 1024;

export interface StoredPayload {
  readonly mode: ArrivalMode;
  readonly headers: readonly (readonly [name: string, value: Buffer])[];
  readonly bytes: Buffer;
}

export interface StoredEntry {
  readonly index: LogIndex;
  /** Epoch milliseconds. */
  readonly arrivalMs: number;
  /** The full CloudEvents type. */
  readonly type: string;
  /** Id of the registered source, or of the tenant itself for Rescind's own entries. */
  readonly source: string;
  /** Undefined if the payload was erased. */
  readonly payload: StoredPayload | undefined;
  /** The event as it reads after an erasure, if it names an erased person: JSON of its id, time and data. */
  readonly remainder?: string;
}

export interface EntryRow {
  readonly ix: string;
  readonly arrival: string;
  readonly type: string;
  readonly source: string;
  readonly commitment: Buffer;
  readonly mode: ArrivalMode | null;
  readonly salt: Buffer;
  readonly attributes: Buffer;
  readonly bytes: Buffer;
  readonly said: string | null;
}

/**
 * Reads a tenant's entries from index `from` to `to` (exclusive), in order: all of them or, if they are large, fewer, but at least
 * one. Checks each payload against its entry's commitment. Throws `ledger-inconsistent` if they differ or an index is missing.
 */
export async function readEntries(
  session: Pick<Pool, 'query'>,
  tenant: string,
  from: bigint,
  to: bigint,
): Promise<readonly StoredEntry[]> {
  const { rows } = await session.query<EntryRow>(READ_ENTRIES, [tenant, String(from), String(to), MAX_READ_BYTES]);
  rows.forEach(({ ix }, nth) => {
    if (nth > 0 && BigInt(ix) !== BigInt(rows[nth - 1]!.ix) + 1n)
      throw inconsistent(`the ledger of ${tenant} has no entry ${BigInt(rows[nth - 1]!.ix) + 1n}`);
  });
  if (rows.length === 0 || BigInt(rows[0]!.ix) !== from)
    throw inconsistent(`the ledger of ${tenant} has no entry ${from}`);
  return rows.map((row) => entryOf(tenant, row));
}

export const entryOf = (tenant: string, row: EntryRow): StoredEntry => ({
  index: BigInt(row.ix) as LogIndex,
  arrivalMs: Number(row.arrival),
  type: row.type,
  source: row.source,
  payload: payloadOf(tenant, row),
  ...(row.said === null ? {} : { remainder: row.said }),
});

function payloadOf(tenant: string, row: EntryRow): StoredPayload | undefined {
  if (row.mode === null) return undefined;
  const headers = commitment(row).equals(row.commitment) ? parseAttributes(row.attributes) : undefined;
  if (!headers) throw inconsistent(`entry ${row.ix} of ${tenant} is not what was committed to`);
  return { mode: row.mode, headers, bytes: row.bytes };
}

const inconsistent = (detail: string): RescindError => new RescindError('ledger-inconsistent', { detail });
