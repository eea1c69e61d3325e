import type { PoolClient } from 'pg';
import { PROJECTIONS } from '../declarations.js';

/** Compares one table, live and rebuilt, at one moment. */
export interface Compared {
  readonly table: string;
  readonly rows: string;
  /** Digest of all rows, independent of their order. */
  readonly digest: string;
  readonly rebuiltRows: string;
  readonly rebuiltDigest: string;
  readonly same: boolean;
  /** Rows that only the live table has, and below it rows that only the rebuilt one has. A changed row counts in both. 0 if the digests agree. */
  readonly onlyLive: number;
  readonly onlyRebuilt: number;
  /** Columns that were not compared. */
  readonly leftOut: readonly string[];
}

/** Quoted names of the two schemas. */
export interface Sides {
  readonly live: string;
  readonly rebuilt: string;
}

const DIGEST_BITS = 64n;

const DECLARED = new Map(Object.values(PROJECTIONS).flatMap(({ tables }) => Object.entries(tables)));

/** Compares tables in the session's transaction. `leftOut` lists each `table` or `table.column` that a release has changed. */
export async function compareTables(
  session: PoolClient,
  { live, rebuilt }: Sides,
  tables: readonly string[],
  leftOut: readonly string[],
): Promise<readonly Compared[]> {
  const compared: Compared[] = [];
  for (const table of tables) {
    if (leftOut.includes(table)) continue;
    const all = await readColumns(session, live, rebuilt, table);
    const columns = all.filter((column) => !leftOut.includes(`${table}.${column}`));
    const list = columns.map((column) => `"${column}"`).join(', ');
    const { compared: said = `SELECT ${list} FROM {table}`, except } = DECLARED.get(table)!;
    const ofLive = said.replaceAll('{table}', `${live}.${table}`);
    const ofRebuilt =
      said.replaceAll('{table}', `${rebuilt}.${table} r`) +
      (except === undefined ? '' : ` WHERE ${except.replaceAll('{live}', live)}`);
    const before = await digest(session, ofLive);
    const after = await digest(session, ofRebuilt);
    const same = before.rows === after.rows && before.digest === after.digest;
    const only = async (one: string, other: string): Promise<number> => (same ? 0 : countOnlyIn(session, one, other));
    compared.push({
      table,
      ...before,
      rebuiltRows: after.rows,
      rebuiltDigest: after.digest,
      same,
      onlyLive: await only(ofLive, ofRebuilt),
      onlyRebuilt: await only(ofRebuilt, ofLive),
      leftOut: all.filter((column) => !columns.includes(column)),
    });
  }
  return compared;
}

/** Reads the columns that both tables have, by name; their order in the tables does not matter. */
async function readColumns(
  session: PoolClient,
  live: string,
  rebuilt: string,
  table: string,
): Promise<readonly string[]> {
  const { rows } = await session.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped
     INTERSECT SELECT attname FROM pg_attribute WHERE attrelid = $2::regclass AND attnum > 0 AND NOT attisdropped ORDER BY 1`,
    [`${live}.${table}`, `${rebuilt}.${table}`],
  );
  return rows.map(({ name }) => name);
}

/** Sums the rows' 64-bit hashes. Equal rows count as often as they occur; an exclusive or would cancel them. */
async function digest(session: PoolClient, said: string): Promise<{ rows: string; digest: string }> {
  const { rows } = await session.query<{ rows: string; sum: string | null }>(
    `SELECT count(*) AS rows, sum(hash_record_extended(said, 0)) AS sum FROM (${said}) said`,
  );
  const sum = BigInt.asUintN(Number(DIGEST_BITS), BigInt(rows[0]!.sum ?? 0));
  return { rows: rows[0]!.rows, digest: sum.toString(16).padStart(Number(DIGEST_BITS) / 4, '0') };
}

async function countOnlyIn(session: PoolClient, one: string, other: string): Promise<number> {
  const { rows } = await session.query<{ n: string }>(`SELECT count(*) AS n FROM (${one} EXCEPT ALL ${other}) d`);
  return Number(rows[0]!.n);
}
