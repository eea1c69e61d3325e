import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { from as copyFrom } from 'pg-copy-streams';
import type { PoolClient } from 'pg';
import { loadSql } from '../platform/index.js';
import { encodeCopyBinary } from './copy-binary.js';

/** A position in a tenant's ledger, dense from 0. */
export type LogIndex = bigint & { readonly __brand: 'LogIndex' };

/** How the bytes came, kept so that a checker can repeat what was hashed (wire.md, "Entry"). */
export type ArrivalMode = 'binary' | 'structured' | 'batch' | 'ndjson' | 'own';

/** An event ready to be written: everything but its index and arrival. */
export interface NewEntry {
  readonly tenant: string;
  /** Full CloudEvents type. */
  readonly type: string;
  /** Id of the registered source. */
  readonly source: string;
  readonly commitment: Buffer;
  /** 16 bytes of HMAC over (source, event id). */
  readonly dedupeKey: Buffer;
  /** SHA-256 of the RFC 8785 form of what is said. */
  readonly hash: Buffer;
  readonly mode: ArrivalMode;
  readonly salt: Buffer;
  readonly attributes: Buffer;
  readonly bytes: Buffer;
}

export interface Placed {
  /** `duplicate`: said before, word for word. `conflict`: other content under an id that was used; nothing is written. */
  readonly outcome: 'sequenced' | 'duplicate' | 'conflict';
  /** Of the entry itself, or of the one that came first. */
  readonly index: LogIndex;
  /** Epoch milliseconds, of a new entry. */
  readonly arrivalMs: number | undefined;
}

const CREATE_STAGE = loadSql(import.meta.url, 'create-stage.sql');
const LOCK_HEADS = loadSql(import.meta.url, 'lock-heads.sql');
const PLACE = loadSql(import.meta.url, 'place.sql');
const COPY_STAGE = 'COPY stage FROM STDIN (FORMAT binary)';

/**
 * Writes entries in the caller's transaction, in the order given, and answers for each where it stands.
 *
 * The heads of the tenants concerned stay locked until the transaction ends: that keeps indexes dense, arrival monotone
 * and readers behind writers. Copying and hashing happen before the lock. Nothing is durable before the caller's COMMIT.
 */
export async function appendEntries(client: PoolClient, entries: readonly NewEntry[]): Promise<readonly Placed[]> {
  await stageEntries(client, entries);
  const tenants = [...new Set(entries.map((entry) => entry.tenant))];
  await client.query('INSERT INTO ledger_head (tenant) SELECT unnest($1::uuid[]) ORDER BY 1 ON CONFLICT DO NOTHING', [tenants]);
  await client.query(LOCK_HEADS, [tenants]);
  const { rows } = await client.query<{ outcome: Placed['outcome']; ix: string; arrival: string | null }>({ name: 'place', text: PLACE });
  return rows.map((row) => ({
    outcome: row.outcome,
    index: BigInt(row.ix) as LogIndex,
    arrivalMs: row.arrival === null ? undefined : Number(row.arrival),
  }));
}

/** Sessions that have their staging table. */
const staged = new WeakSet<PoolClient>();

async function stageEntries(client: PoolClient, entries: readonly NewEntry[]): Promise<void> {
  if (!staged.has(client)) {
    await client.query(CREATE_STAGE);
    staged.add(client);
  }
  const rows = entries.map((entry, ord) => [
    ord,
    { uuid: entry.tenant },
    entry.type,
    { uuid: entry.source },
    entry.commitment,
    entry.dedupeKey,
    entry.hash,
    entry.mode,
    entry.salt,
    entry.attributes,
    entry.bytes,
  ]);
  await pipeline(Readable.from([encodeCopyBinary(rows)]), client.query(copyFrom(COPY_STAGE)));
}
