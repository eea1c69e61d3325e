import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { from as copyFrom } from 'pg-copy-streams';
import type { PoolClient } from 'pg';
import { loadSql, uuidArray } from '../platform/postgres/index.js';
import { COPY_HEADER, COPY_TRAILER } from './copy-binary.js';
import { RangeMissing } from './ranges.pg.js';

/** A position in a tenant's ledger, dense from 0. */
export type LogIndex = bigint & { readonly __brand: 'LogIndex' };

/** How the bytes arrived. Kept so that a checker can hash the same bytes again (wire.md, "Entry"). */
export type ArrivalMode = 'binary' | 'structured' | 'batch' | 'ndjson' | 'own';

/** An event ready to be written. Only its index and arrival are missing. */
export interface NewEntry {
  readonly tenant: string;
  /** 16 bytes of HMAC over (source, event id), as latin1. */
  readonly dedupeKey: string;
  /** SHA-256 of the RFC 8785 form of the event, as latin1. */
  readonly hash: string;
  /** The fields of its staging row after the first one (`ord`), in binary COPY format. */
  readonly row: Buffer;
}

export interface Placed {
  /** `duplicate`: the same event is already in the ledger. `conflict`: other content is in the ledger under this id. Neither is written. */
  readonly outcome: 'sequenced' | 'duplicate' | 'conflict';
  /** Index of the new entry or, for a duplicate or conflict, of the first one. */
  readonly index: LogIndex;
  /** Arrival of a new entry, epoch milliseconds; undefined for a duplicate or conflict. */
  readonly arrivalMs: number | undefined;
}

const CREATE_STAGE = loadSql(import.meta.url, 'create-stage.sql');
const FIND_STAGE = loadSql(import.meta.url, 'find-stage.sql');
const LOCK_HEADS = loadSql(import.meta.url, 'lock-heads.sql');
const PLACE = loadSql(import.meta.url, 'place.sql');
const COPY_STAGE = 'COPY stage FROM STDIN (FORMAT binary)';

/**
 * Writes entries in the caller's transaction, in the given order; returns the outcome and index of each.
 *
 * The heads of the tenants concerned stay locked until the transaction ends. The lock keeps indexes dense, arrival monotone, and
 * readers behind writers. Copying and hashing happen before the lock. Nothing is durable before the caller's COMMIT.
 * Throws `RangeMissing` if no partition exists yet for the next indexes.
 */
export async function appendEntries(client: PoolClient, entries: readonly NewEntry[]): Promise<readonly Placed[]> {
  const firsts = firstsOf(entries);
  await stageEntries(client, entries, firsts);
  for (const { next_ix, up_to } of await lockHeads(client, [...new Set(entries.map(({ tenant }) => tenant))])) {
    const end = BigInt(next_ix) + BigInt(entries.length);
    // Checked here, because an INSERT without a partition would look like an event that the database refuses.
    if (end > BigInt(up_to)) throw new RangeMissing(end);
  }
  // An unnamed statement: a named one would keep the plan that was made while the tables were small.
  const { rows } = await client.query<PlacedRow>(PLACE);
  return placesOf(entries, firsts, rows);
}

/**
 * Returns, for each entry, the position of the first entry with its key: usually its own. Events that occur twice in a batch are found
 * here, because a window over the staging table would sort every event of every batch.
 */
function firstsOf(entries: readonly NewEntry[]): readonly number[] {
  const first = new Map<string, number>();
  return entries.map(({ tenant, dedupeKey }, ord) => {
    const name = `${tenant}${dedupeKey}`;
    const known = first.get(name);
    if (known === undefined) first.set(name, ord);
    return known ?? ord;
  });
}

interface Head {
  readonly next_ix: string;
  readonly up_to: string;
}

/** Tenants whose head row a session found committed. Head rows are never deleted. */
const headed = new WeakMap<PoolClient, Set<string>>();

async function lockHeads(client: PoolClient, tenants: readonly string[]): Promise<readonly Head[]> {
  const parameters = [uuidArray(tenants)];
  const known = headed.get(client) ?? new Set();
  headed.set(client, known);
  if (!tenants.every((tenant) => known.has(tenant))) {
    // Inserted before any lock and in tenant order, so that two batches of new tenants cannot deadlock.
    const { rowCount } = await client.query(
      'INSERT INTO ledger_head (tenant) SELECT unnest($1::uuid[]) ORDER BY 1 ON CONFLICT DO NOTHING',
      parameters,
    );
    if (rowCount === 0) for (const tenant of tenants) known.add(tenant);
  }
  return (await client.query<Head>(LOCK_HEADS, parameters)).rows;
}

/** A tenant's first new index and the arrival of its new entries (`ord` null), or the index and hash of an event that is not new. */
type PlacedRow =
  | { readonly ord: null; readonly tenant: string; readonly ix: string; readonly arrival: string }
  | { readonly ord: number; readonly ix: string; readonly hash: Buffer };

function placesOf(entries: readonly NewEntry[], firsts: readonly number[], rows: readonly PlacedRow[]): Placed[] {
  const known = new Map<number, { readonly index: LogIndex; readonly hash: string }>();
  const next = new Map<string, { index: bigint; readonly arrivalMs: number }>();
  for (const row of rows) {
    if (row.ord === null) next.set(row.tenant, { index: BigInt(row.ix), arrivalMs: Number(row.arrival) });
    else known.set(row.ord, { index: BigInt(row.ix) as LogIndex, hash: row.hash.toString('latin1') });
  }
  const placed: Placed[] = [];
  entries.forEach(({ tenant, hash }, ord) => {
    const first = firsts[ord]!;
    const before =
      known.get(first) ?? (first === ord ? undefined : { index: placed[first]!.index, hash: entries[first]!.hash });
    if (before !== undefined) {
      placed.push({
        outcome: before.hash === hash ? 'duplicate' : 'conflict',
        index: before.index,
        arrivalMs: undefined,
      });
      return;
    }
    const begin = next.get(tenant)!;
    placed.push({ outcome: 'sequenced', index: begin.index as LogIndex, arrivalMs: begin.arrivalMs });
    begin.index += 1n;
  });
  return placed;
}

/** Sessions whose staging table survives a rollback, because an earlier transaction created it. */
const staged = new WeakSet<PoolClient>();

async function stageEntries(
  client: PoolClient,
  entries: readonly NewEntry[],
  firsts: readonly number[],
): Promise<void> {
  if (!staged.has(client)) {
    const { rowCount } = await client.query(FIND_STAGE);
    if (rowCount === 1) staged.add(client);
    else await client.query(CREATE_STAGE);
  }
  await pipeline(Readable.from([copyOf(entries, firsts)]), client.query(copyFrom(COPY_STAGE)));
}

const STAGE_FIELDS = 11;
const ROW_HEAD_BYTES = 10;

function copyOf(entries: readonly NewEntry[], firsts: readonly number[]): Buffer {
  const size = entries.reduce(
    (sum, { row }) => sum + ROW_HEAD_BYTES + row.length,
    COPY_HEADER.length + COPY_TRAILER.length,
  );
  const bytes = Buffer.allocUnsafe(size);
  let at = COPY_HEADER.copy(bytes);
  entries.forEach(({ row }, ord) => {
    if (firsts[ord] !== ord) return;
    at = bytes.writeInt16BE(STAGE_FIELDS, at);
    at = bytes.writeInt32BE(4, at);
    at = bytes.writeInt32BE(ord, at);
    at += row.copy(bytes, at);
  });
  at += COPY_TRAILER.copy(bytes, at);
  return bytes.subarray(0, at);
}
