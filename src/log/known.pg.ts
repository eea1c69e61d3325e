import { hash } from 'node:crypto';
import type { Pool } from 'pg';
import { parseAttributes } from '../merkle/index.js';
import { byteaArray, loadSql, uuidArray } from '../platform/postgres/index.js';
import type { LogIndex, NewEntry } from './append.pg.js';
import type { StoredPayload } from './read.pg.js';

const FIND_KNOWN = loadSql(import.meta.url, 'find-known.sql');

/** Writes what an event says in one spelling, whatever mode and spelling its payload has. */
export type ContentOf = (payload: StoredPayload) => string;

type PayloadBytes = Pick<NewEntry, 'mode' | 'attributes' | 'bytes'>;

/** The first entry under a key. */
export interface FirstEntry {
  readonly index: LogIndex;
  /** Undefined if the payload was erased. */
  readonly payload: PayloadBytes | undefined;
  /** SHA-256 of the content of an erased payload. */
  readonly hash: Buffer | null;
}

/** Finds the entries that have the keys of these, by position in the list. */
export async function findKnown(
  session: Pick<Pool, 'query'>,
  entries: readonly NewEntry[],
): Promise<ReadonlyMap<number, FirstEntry>> {
  type Row = { readonly ord: number; readonly ix: string; readonly hash: Buffer | null } & (
    | PayloadBytes
    | { mode: null }
  );
  // An unnamed statement: a named one would keep the plan that was made while the tables were small.
  const { rows } = await session.query<Row>(FIND_KNOWN, [
    uuidArray(entries.map(({ tenant }) => tenant)),
    byteaArray(entries.map(({ dedupeKey }) => Buffer.from(dedupeKey, 'latin1'))),
  ]);
  return new Map(
    rows.map(({ ord, ix, hash: kept, ...payload }) => [
      ord,
      { index: BigInt(ix) as LogIndex, hash: kept, payload: payload.mode === null ? undefined : payload },
    ]),
  );
}

/** Whether an entry says what the first one under its key says. An erased payload without its hash says something else. */
export function saysTheSame(first: Omit<FirstEntry, 'index'>, entry: PayloadBytes, contentOf: ContentOf): boolean {
  const { payload, hash: kept } = first;
  if (payload === undefined) return kept !== null && contentHash(entry, contentOf).equals(kept);
  // A repeated event usually has the same bytes.
  const isSame = payload.mode === entry.mode && payload.bytes.equals(entry.bytes);
  if (isSame && payload.attributes.equals(entry.attributes)) return true;
  return contentOf(readable(payload)) === contentOf(readable(entry));
}

/** Hashes the content of a payload. Whoever erases a payload stores the hash in `dedupe` first. */
export const contentHash = (payload: PayloadBytes, contentOf: ContentOf): Buffer =>
  hash('sha256', contentOf(readable(payload)), 'buffer');

const readable = ({ mode, attributes, bytes }: PayloadBytes): StoredPayload => ({
  mode,
  headers: parseAttributes(attributes)!,
  bytes,
});
