import type { Pool, PoolClient } from 'pg';
import { RescindError } from '../contracts/index.js';
import { loadSql } from '../platform/postgres/index.js';
import type { NewEntry } from './append.pg.js';
import { contentHash, type ContentOf } from './known.pg.js';
import { dedupeKeyOf } from './prepare.js';
import { entryOf, type EntryRow, type StoredEntry } from './read.pg.js';

const FIND_NAMED = loadSql(import.meta.url, 'find-named.sql');

/** An entry that may hold one of the texts that were looked for, with its payload as it is stored. */
export interface NamedEntry extends StoredEntry {
  readonly stored: Pick<NewEntry, 'mode' | 'attributes' | 'bytes'> | undefined;
}

/** Finds the entries from index `from` to `to` (exclusive) that may hold one of the texts; a text in JSON may be spelled in other ways. */
export async function findNamedEntries(
  session: Pick<Pool, 'query'>,
  tenant: string,
  { from, to, texts }: { readonly from: bigint; readonly to: bigint; readonly texts: readonly string[] },
): Promise<readonly NamedEntry[]> {
  const { rows } = await session.query<EntryRow>(FIND_NAMED, [tenant, String(from), String(to), texts]);
  return rows.map((row) => {
    const { mode, attributes, bytes } = row;
    return { ...entryOf(tenant, row), stored: mode === null ? undefined : { mode, attributes, bytes } };
  });
}

/** The rest of one entry after an erasure. */
export interface LeftOfEntry {
  readonly entry: NamedEntry;
  /** RFC 8785 JSON of the event's id, time and data without the person. */
  readonly remainder: string;
  /** Id of the event as it came; undefined: the payload stays, because it names somebody else too. */
  readonly eraseUnder: string | undefined;
}

/**
 * Writes what is left of entries, and erases payloads, in the caller's transaction, under the lock of the tenant's head. Each hash of content is kept before its
 * payload goes, so that the same event is still a duplicate. Neither `entry` nor its hashes change.
 */
export async function eraseEntries(
  client: PoolClient,
  left: readonly LeftOfEntry[],
  {
    tenant,
    tenantKey,
    erasure,
    contentOf,
  }: {
    readonly tenant: string;
    readonly tenantKey: Uint8Array;
    readonly erasure: string;
    readonly contentOf: ContentOf;
  },
): Promise<void> {
  if (left.length === 0) return;
  await client.query('SELECT FROM ledger_head WHERE tenant = $1 FOR UPDATE', [tenant]);
  const columns = (of: readonly LeftOfEntry[]) => of.map(({ entry }) => String(entry.index));
  await client.query(
    `INSERT INTO entry_remainder (tenant, ix, erasure, said)
     SELECT $1::uuid, l.ix, $2::uuid, l.said FROM unnest($3::bigint[], $4::text[]) AS l (ix, said)
     ON CONFLICT (tenant, ix) DO UPDATE SET erasure = excluded.erasure, said = excluded.said`,
    [tenant, erasure, columns(left), left.map(({ remainder }) => remainder)],
  );
  const going = left.filter(({ entry, eraseUnder }) => eraseUnder !== undefined && entry.stored !== undefined);
  const kept = await client.query(
    `UPDATE dedupe d SET hash = l.hash FROM unnest($2::bytea[], $3::bigint[], $4::bytea[]) AS l (key, ix, hash)
     WHERE d.tenant = $1 AND d.key = l.key AND d.ix = l.ix`,
    [
      tenant,
      going.map(({ entry, eraseUnder }) => Buffer.from(dedupeKeyOf(tenantKey, entry.source, eraseUnder!), 'latin1')),
      columns(going),
      going.map(({ entry }) => contentHash(entry.stored!, contentOf)),
    ],
  );
  if (kept.rowCount !== going.length)
    throw new RescindError('ledger-inconsistent', {
      detail: `of ${going.length} entries of ${tenant} that are to be erased, ${kept.rowCount ?? 0} are found by their events`,
    });
  await client.query('DELETE FROM payload WHERE tenant = $1 AND ix = ANY ($2::bigint[])', [tenant, columns(going)]);
}
