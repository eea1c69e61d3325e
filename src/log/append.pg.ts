import type { PoolClient } from 'pg';
import { encodeEntry, leafHash } from '../merkle/index.js';
import { CopyRows, int8Array, loadSql, uuidArray } from '../platform/postgres/index.js';
import { findKnown, saysTheSame, type ContentOf, type FirstEntry } from './known.pg.js';
import { RangeMissing } from './ranges.pg.js';

/** A position in a tenant's ledger, dense from 0. */
export type LogIndex = bigint & { readonly __brand: 'LogIndex' };

/** How the bytes arrived. Kept so that a checker can hash the same bytes again (wire.md, "Entry"). */
export type ArrivalMode = 'binary' | 'structured' | 'batch' | 'ndjson' | 'set' | 'own';

/** An event ready to be written. Only its index and arrival are missing. */
export interface NewEntry {
  readonly tenant: string;
  readonly type: string;
  readonly source: string;
  /** 16 bytes of HMAC over (source, event id), as latin1. */
  readonly dedupeKey: string;
  readonly commitment: Buffer;
  readonly mode: ArrivalMode;
  readonly salt: Buffer;
  readonly attributes: Buffer;
  readonly bytes: Buffer;
}

export interface Placed {
  /** `duplicate`: the same event is already in the ledger. `conflict`: other content is in the ledger under this id. Neither is written. */
  readonly outcome: 'sequenced' | 'duplicate' | 'conflict';
  /** Index of the new entry or, for a duplicate or conflict, of the first one. */
  readonly index: LogIndex;
  /** Arrival of a new entry, epoch milliseconds; undefined for a duplicate or conflict. */
  readonly arrivalMs: number | undefined;
}

const LOCK_HEADS = loadSql(import.meta.url, 'lock-heads.sql');
const MOVE_HEADS = loadSql(import.meta.url, 'move-heads.sql');

/**
 * Writes entries in the caller's transaction, in the given order; returns the outcome and index of each.
 *
 * The heads of the tenants concerned stay locked until the transaction ends. The lock keeps indexes dense, arrival monotone, and
 * readers behind writers. All bytes are ready before the first COPY begins. Nothing is durable before the caller's COMMIT.
 * `contentOf` tells two spellings of one event from two events under one id. Throws `RangeMissing` if no partition exists yet for the
 * next indexes.
 */
export async function appendEntries(
  client: PoolClient,
  entries: readonly NewEntry[],
  contentOf: ContentOf,
): Promise<readonly Placed[]> {
  const heads = await lockHeads(client, new Set(entries.map(({ tenant }) => tenant)));
  for (const { index, upTo } of heads.values()) {
    const end = index + BigInt(entries.length);
    // Checked here, because a COPY without a partition would look like an event that the database refuses.
    if (end > upTo) throw new RangeMissing(end);
  }
  const known = await findKnown(client, entries);
  const earlier = new Map<string, FirstEntry>();
  const ledger = createLedgerRows();
  const placed = entries.map((entry, ord): Placed => {
    const key = `${entry.tenant}${entry.dedupeKey}`;
    const first = known.get(ord) ?? earlier.get(key);
    if (first !== undefined) {
      const outcome = saysTheSame(first, entry, contentOf) ? 'duplicate' : 'conflict';
      return { outcome, index: first.index, arrivalMs: undefined };
    }
    const head = heads.get(entry.tenant)!;
    const { index, arrivalMs } = head;
    head.index = (index + 1n) as LogIndex;
    earlier.set(key, { index, payload: entry, hash: null });
    ledger.add(entry, index, arrivalMs);
    return { outcome: 'sequenced', index, arrivalMs };
  });
  await ledger.send(client);
  await moveHeads(client, heads);
  return placed;
}

interface Head {
  /** Index of the tenant's next entry. */
  index: LogIndex;
  /** The same before the batch. */
  readonly from: LogIndex;
  /** Arrival of the batch's entries. */
  readonly arrivalMs: number;
  /** Index at which the partitions end. */
  readonly upTo: bigint;
}

/** Tenants whose head row a session found committed. Head rows are never deleted. */
const headed = new WeakMap<PoolClient, Set<string>>();

async function lockHeads(client: PoolClient, tenants: ReadonlySet<string>): Promise<ReadonlyMap<string, Head>> {
  const parameters = [uuidArray([...tenants])];
  const known = headed.get(client) ?? new Set();
  headed.set(client, known);
  if (![...tenants].every((tenant) => known.has(tenant))) {
    // Inserted before any lock and in tenant order, so that two batches of new tenants cannot deadlock.
    const { rowCount } = await client.query(
      'INSERT INTO ledger_head (tenant) SELECT unnest($1::uuid[]) ORDER BY 1 ON CONFLICT DO NOTHING',
      parameters,
    );
    if (rowCount === 0) for (const tenant of tenants) known.add(tenant);
  }
  const { rows } = await client.query<{ [column in 'tenant' | 'next_ix' | 'last_arrival' | 'up_to' | 'now']: string }>(
    LOCK_HEADS,
    parameters,
  );
  return new Map(
    rows.map(({ tenant, next_ix, last_arrival, up_to, now }) => [
      tenant,
      {
        index: BigInt(next_ix) as LogIndex,
        from: BigInt(next_ix) as LogIndex,
        arrivalMs: Math.max(Number(last_arrival), Number(now)),
        upTo: BigInt(up_to),
      },
    ]),
  );
}

/** Collects the rows of new entries. */
function createLedgerRows() {
  const entries = new CopyRows('entry', 'tenant, ix, arrival, type, source, commitment, leaf_hash');
  const payloads = new CopyRows('payload', 'tenant, ix, mode, salt, attributes, bytes');
  const keys = new CopyRows('dedupe', 'tenant, key, ix');
  return {
    add(entry: NewEntry, index: LogIndex, arrivalMs: number): void {
      const { tenant, type, source, commitment, mode, salt, attributes, bytes } = entry;
      const leaf = leafHash(encodeEntry({ index, arrivalMs: BigInt(arrivalMs), type, source, commitment }));
      entries.row().uuid(tenant).int8(index).int8(arrivalMs).text(type).uuid(source).bytes(commitment).bytes(leaf);
      payloads.row().uuid(tenant).int8(index).text(mode).bytes(salt).bytes(attributes).bytes(bytes);
      keys.row().uuid(tenant).latin1(entry.dedupeKey).int8(index);
    },
    async send(client: PoolClient): Promise<void> {
      for (const rows of [entries, payloads, keys]) await rows.send(client);
    },
  };
}

async function moveHeads(client: PoolClient, heads: ReadonlyMap<string, Head>): Promise<void> {
  const moved = [...heads].filter(([, { from, index }]) => index > from);
  if (moved.length === 0) return;
  await client.query(MOVE_HEADS, [
    uuidArray(moved.map(([tenant]) => tenant)),
    int8Array(moved.map(([, { index }]) => index)),
    int8Array(moved.map(([, { arrivalMs }]) => arrivalMs)),
  ]);
}
