import type { Author } from '../contracts/index.js';
import type { Pool, PoolClient } from '../platform/postgres/index.js';
import type { FoundNames } from './find-names.pg.js';

/** Steps of an erasure, in order. */
export type Step = 'entries' | 'tables' | 'archive' | 'tell' | 'done';

/** An erasure as it is stored. */
export interface StoredErasure {
  readonly id: string;
  /** Rule key of the name that was asked for. */
  readonly person: Buffer;
  /** Null once it is done. */
  readonly names: FoundNames | null;
  readonly below: bigint;
  readonly step: Step;
  readonly next: bigint;
  readonly erased: number;
  readonly kept: number;
  readonly reason: string;
  readonly author: Author;
  readonly askedMs: number;
  readonly doneMs: number | null;
  readonly entry: string | null;
}

type Querying = Pick<Pool, 'query'>;
type Row = Record<'id' | 'below' | 'next_ix' | 'erased' | 'kept' | 'reason' | 'asked_ms', string> & {
  readonly person: Buffer;
  readonly names: FoundNames | null;
  readonly step: Step;
  readonly author: Author;
  readonly done_ms: string | null;
  readonly entry: string | null;
};

const COLUMNS = 'id, person, names, below, step, next_ix, erased, kept, reason, author, asked_ms, done_ms, entry';
/** Erasures that one page lists. */
export const MAX_LISTED = 500;

const erasureOf = (row: Row): StoredErasure => ({
  id: row.id,
  person: row.person,
  names: row.names,
  below: BigInt(row.below),
  step: row.step,
  next: BigInt(row.next_ix),
  erased: Number(row.erased),
  kept: Number(row.kept),
  reason: row.reason,
  author: row.author,
  askedMs: Number(row.asked_ms),
  doneMs: row.done_ms === null ? null : Number(row.done_ms),
  entry: row.entry,
});

/** Stores a new erasure; false if one of the same person is running. */
export async function addErasure(
  client: Querying,
  tenant: string,
  one: Pick<StoredErasure, 'id' | 'person' | 'names' | 'below' | 'reason' | 'author' | 'askedMs'>,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `INSERT INTO erasure (tenant, id, person, names, below, step, reason, author, asked_ms) VALUES ($1, $2, $3, $4, $5, 'entries', $6, $7, $8)
     ON CONFLICT (tenant, person) WHERE step <> 'done' DO NOTHING`,
    [tenant, one.id, one.person, one.names, String(one.below), one.reason, one.author, one.askedMs],
  );
  return rowCount === 1;
}

export async function findRunning(
  client: Querying,
  tenant: string,
  person: Buffer,
): Promise<StoredErasure | undefined> {
  const { rows } = await client.query<Row>(
    `SELECT ${COLUMNS} FROM erasure WHERE tenant = $1 AND person = $2 AND step <> 'done'`,
    [tenant, person],
  );
  return rows.map(erasureOf)[0];
}

export async function findErasure(client: Querying, tenant: string, id: string): Promise<StoredErasure | undefined> {
  const { rows } = await client.query<Row>(`SELECT ${COLUMNS} FROM erasure WHERE tenant = $1 AND id = $2`, [
    tenant,
    id,
  ]);
  return rows.map(erasureOf)[0];
}

/** Lists erasures, the newest first. */
export async function listErasures(client: Querying, tenant: string): Promise<StoredErasure[]> {
  const { rows } = await client.query<Row>(
    `SELECT ${COLUMNS} FROM erasure WHERE tenant = $1 ORDER BY asked_ms DESC, id LIMIT $2`,
    [tenant, MAX_LISTED],
  );
  return rows.map(erasureOf);
}

/** Takes a running erasure for one step, in the caller's transaction; undefined if there is none or another session has it. */
export async function takeRunning(client: Querying, tenant: string): Promise<StoredErasure | undefined> {
  const { rows } = await client.query<Row>(
    `SELECT ${COLUMNS} FROM erasure WHERE tenant = $1 AND step <> 'done' ORDER BY asked_ms, id LIMIT 1 FOR UPDATE SKIP LOCKED`,
    [tenant],
  );
  return rows.map(erasureOf)[0];
}

/** Notes where an erasure goes on, unless another process was faster. */
export async function moveErasure(
  client: Pick<PoolClient, 'query'>,
  tenant: string,
  { id, step }: Pick<StoredErasure, 'id' | 'step'>,
  to: { readonly step: Step; readonly next: bigint; readonly erased: number; readonly kept: number },
): Promise<void> {
  await client.query(
    'UPDATE erasure SET step = $3, next_ix = $4, erased = $5, kept = $6 WHERE tenant = $1 AND id = $2 AND step = $7',
    [tenant, id, to.step, String(to.next), to.erased, to.kept, step],
  );
}

/** Ends an erasure: from now on nothing here names the person. */
export async function endErasure(
  client: Querying,
  tenant: string,
  id: string,
  { entry, doneMs }: { readonly entry: bigint; readonly doneMs: number },
): Promise<void> {
  await client.query(
    "UPDATE erasure SET step = 'done', names = NULL, entry = $3, done_ms = $4 WHERE tenant = $1 AND id = $2 AND step = 'tell'",
    [tenant, id, String(entry), doneMs],
  );
}
