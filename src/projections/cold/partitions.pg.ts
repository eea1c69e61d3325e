import type { PoolClient } from 'pg';
import { uuidArray, int8Array } from '../../platform/postgres/index.js';
import { REBUILD_LOCK } from '../gate.js';
import { BOUNDS, boundValues, MAY_LEAVE, type Archived } from './leave.pg.js';

/** How long a change of partitions waits for one lock. Ingest and questions wait behind it meanwhile. */
const LOCK_MS = 500;
/** How long it may hold its locks. Attaching a partition reads the partition of all other times. */
const HOLD_MS = 2_000;
/** Uses that may stay of a partition that is dropped: more than the open block of one tenant. Moving them takes some tenths of a second. */
export const MAX_STAYING = 20_000;
/** The first partition begins at least so long after now: no use of such a time has come. */
const AHEAD_S = 3_600;

/** A part of `access` by time: from ≤ at < to, epoch seconds. */
export interface Partition {
  /** Quoted, with its schema. */
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

export interface Shape {
  readonly live: string;
  readonly isPartitioned: boolean;
  /** Quoted name of the table that holds all uses outside of the partitions. */
  readonly rest: string;
  /** Ascending. */
  readonly partitions: readonly Partition[];
}

type Session = Pick<PoolClient, 'query'>;

export async function readShape(client: Session): Promise<Shape> {
  const { rows } = await client.query<{ live: string; kind: string; parts: string[] }>(
    `SELECT quote_ident(n.nspname) AS live, c.relkind AS kind,
            ARRAY(SELECT p.relname::text FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid WHERE i.inhparent = c.oid) AS parts
     FROM pg_class h JOIN pg_namespace n ON n.oid = h.relnamespace JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'access'
     WHERE h.oid = 'ledger_head'::regclass`,
  );
  const { live, kind, parts } = rows[0]!;
  const isPartitioned = kind === 'p';
  const partitions = parts.flatMap((part): Partition[] => {
    const [, from, to] = /^access_(\d+)_(\d+)$/.exec(part) ?? [];
    return from === undefined ? [] : [{ name: `${live}.${part}`, from: Number(from), to: Number(to) }];
  });
  return {
    live,
    isPartitioned,
    rest: `${live}.${isPartitioned ? 'access_rest' : 'access'}`,
    partitions: partitions.toSorted((one, other) => one.from - other.from),
  };
}

/** Makes partitions, each of `widthS` seconds, until they hold the times of two widths after now. Times before the first stay in one table. */
export async function makePartitions(
  client: Session,
  { widthS, nowS }: { readonly widthS: number; readonly nowS: number },
): Promise<readonly Partition[]> {
  let shape = await readShape(client);
  if (!shape.isPartitioned) {
    await briefly(client, () => becomePartitioned(client, shape.live));
    shape = await readShape(client);
  }
  const made: Partition[] = [];
  const last = shape.partitions.at(-1);
  for (
    let from = Math.max(last?.to ?? 0, Math.ceil((nowS + AHEAD_S) / widthS) * widthS);
    from < nowS + 2 * widthS;
    from += widthS
  ) {
    const partition = { name: `${shape.live}.access_${from}_${from + widthS}`, from, to: from + widthS };
    await briefly(client, async () => {
      // Created apart and attached: creating it in place would lock readers and writers out of the whole table.
      await client.query(`CREATE TABLE ${partition.name} (LIKE ${shape.live}.access INCLUDING ALL)`);
      await client.query(
        `ALTER TABLE ${shape.live}.access ATTACH PARTITION ${partition.name} FOR VALUES FROM (${partition.from}) TO (${partition.to})`,
      );
    });
    made.push(partition);
  }
  // Autovacuum does not look at the partitioned table itself.
  if (made.length > 0) await client.query(`ANALYZE ${shape.live}.access`);
  return made;
}

/** Puts a partitioned table in the place of `access`, which becomes its partition of all other times. Its indexes keep their names. */
async function becomePartitioned(client: Session, live: string): Promise<void> {
  const { rows: indexes } = await client.query<{ name: string; statement: string }>(
    `SELECT c.relname AS name, coalesce('ALTER TABLE ${live}.access ADD CONSTRAINT ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid), pg_get_indexdef(i.indexrelid)) AS statement
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype = 'p'
     WHERE i.indrelid = '${live}.access'::regclass ORDER BY i.indisprimary DESC, c.relname`,
  );
  const { rows: grants } = await client.query<{ statement: string }>(
    `SELECT format('GRANT %s ON ${live}.access TO %s', a.privilege_type, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END) AS statement
     FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = '${live}.access'::regclass AND a.grantee <> c.relowner`,
  );
  await client.query(`ALTER TABLE ${live}.access RENAME TO access_rest`);
  for (const { name } of indexes)
    await client.query(`ALTER INDEX ${live}.${name} RENAME TO ${name.replace('access', 'access_rest')}`);
  await client.query(
    `CREATE TABLE ${live}.access (LIKE ${live}.access_rest INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (at)`,
  );
  for (const { statement } of [...indexes, ...grants]) await client.query(statement);
  await client.query(`ALTER TABLE ${live}.access ATTACH PARTITION ${live}.access_rest DEFAULT`);
}

export type Dropped =
  | { readonly dropped: true; readonly uses: number; readonly stayed: number }
  /** So many uses of it, or more, must stay. */
  | { readonly dropped: false; readonly stayed: number };

/**
 * Drops a partition whose uses are cold. The few that must stay move to the partition of all other times. It keeps questions out meanwhile
 * (gate.ts): a snapshot from before would find the partition gone, and no record of it.
 */
export async function dropPartition(
  client: Session,
  { live }: Shape,
  { name }: Partition,
  archived: readonly Archived[],
): Promise<Dropped> {
  const bounds = boundValues(archived);
  // Nothing changes of a use that may leave, so this is true until the partition is locked; uses that come meanwhile lie above the bounds.
  const { rows: staying } = await client.query<{ tenant: string; ix: string }>(
    `WITH l AS MATERIALIZED (${BOUNDS}) SELECT a.tenant, a.ix FROM ${name} a LEFT JOIN l ON l.tenant = a.tenant WHERE ${MAY_LEAVE} IS NOT TRUE LIMIT $3::int`,
    [...bounds, MAX_STAYING + 1],
  );
  if (staying.length > MAX_STAYING) return { dropped: false, stayed: staying.length };
  const { rows: leaving } = await client.query<{ tenant: string; end_ix: string; end_at: string; uses: string }>(
    `WITH l AS MATERIALIZED (${BOUNDS})
     SELECT a.tenant, max(greatest(a.ix, a.bound_ix, a.agent_ix, a.foreign_ix)) + 1 AS end_ix, max(a.at) + 1 AS end_at, count(*) AS uses
     FROM ${name} a JOIN l ON l.tenant = a.tenant WHERE ${MAY_LEAVE} GROUP BY a.tenant`,
    bounds,
  );
  const stayed = await briefly(client, async () => {
    // A rebuild compares the tables as of a moment.
    const { rows } = await client.query<{ free: boolean }>('SELECT pg_try_advisory_xact_lock_shared($1) AS free', [
      String(REBUILD_LOCK),
    ]);
    if (!rows[0]!.free) throw new HeldUp('a rebuild is running');
    await client.query(`LOCK TABLE ${live}.projection_gate IN ACCESS EXCLUSIVE MODE`);
    await client.query(`LOCK TABLE ${live}.access IN ACCESS EXCLUSIVE MODE`);
    await client.query(`ALTER TABLE ${live}.access DETACH PARTITION ${name}`);
    const { rowCount } = await client.query(
      `WITH l AS MATERIALIZED (${BOUNDS}),
       stays AS (
         SELECT * FROM unnest($3::uuid[], $4::bigint[]) AS s (tenant, ix)
         UNION
         SELECT h.tenant, a.ix FROM ledger_head h LEFT JOIN l ON l.tenant = h.tenant
         CROSS JOIN LATERAL (SELECT a.ix FROM ${name} a WHERE a.tenant = h.tenant AND a.ix >= coalesce(l.end_ix, 0) OFFSET 0) a
       )
       INSERT INTO ${live}.access SELECT a.* FROM stays s JOIN ${name} a ON a.tenant = s.tenant AND a.ix = s.ix`,
      [...bounds, uuidArray(staying.map(({ tenant }) => tenant)), int8Array(staying.map(({ ix }) => BigInt(ix)))],
    );
    await client.query(
      `INSERT INTO ${live}.access_cold AS c SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[])
       ON CONFLICT (tenant) DO UPDATE SET end_ix = greatest(c.end_ix, excluded.end_ix), end_at = greatest(c.end_at, excluded.end_at)`,
      [
        uuidArray(leaving.map(({ tenant }) => tenant)),
        int8Array(leaving.map(({ end_ix: ix }) => BigInt(ix))),
        int8Array(leaving.map(({ end_at: at }) => BigInt(at))),
      ],
    );
    await client.query(`DROP TABLE ${name}`);
    return rowCount!;
  });
  return { dropped: true, uses: leaving.reduce((sum, { uses }) => sum + Number(uses), 0), stayed };
}

class HeldUp extends Error {
  override readonly name = 'HeldUp';
}

/** Runs a change of partitions in a transaction that waits and holds for a short time only. */
async function briefly<T>(client: Session, work: () => Promise<T>): Promise<T> {
  await client.query(
    `BEGIN; SET LOCAL lock_timeout = ${LOCK_MS}; SET LOCAL statement_timeout = ${HOLD_MS}; SET LOCAL transaction_timeout = ${2 * HOLD_MS}`,
  );
  try {
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Whether a later attempt may succeed: somebody held a lock, or it took too long. */
export const isHeldUp = (error: unknown): boolean =>
  error instanceof HeldUp || ['55P03', '40P01', '57014', '25P04'].includes(String((error as { code?: unknown }).code));
