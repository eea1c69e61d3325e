import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { to as copyTo } from 'pg-copy-streams';
import { loadSql, type PoolClient } from '../../platform/postgres/index.js';
import type { Range } from '../segment.js';
import { TABLE_NAMES, type TableName } from '../tables.js';

const QUERIES = Object.fromEntries(
  TABLE_NAMES.map((name) => [name, loadSql(import.meta.url, `${name}.sql`)]),
) as Readonly<Record<TableName, string>>;

/** COPY takes no parameters, so the three values, a checked uuid and two numbers, become literals. */
const statementOf = (name: TableName, { tenant, first, end }: Range): string => {
  const values = [uuidLiteral(tenant), String(BigInt(first)), String(BigInt(end))];
  const query = QUERIES[name].replace(/\$([123])\b/g, (_, nth: string) => values[Number(nth) - 1]!);
  return `COPY (${query}) TO STDOUT (FORMAT csv, NULL '\\N')`;
};

function uuidLiteral(tenant: string): string {
  if (!/^[0-9a-f-]{36}$/.test(tenant)) throw new TypeError('a tenant is named by its uuid');
  return `'${tenant}'`;
}

/** Copies a table's rows of the range, as of its end, to a new CSV file. One statement; memory is bounded by the stream. Returns the number of rows. */
export async function copyRows(
  client: PoolClient,
  { name, range, path, signal }: { name: TableName; range: Range; path: string; signal?: AbortSignal },
): Promise<number> {
  const rows = client.query(copyTo(statementOf(name, range)));
  await pipeline(rows, createWriteStream(path, { flags: 'wx', mode: 0o600 }), ...(signal ? [{ signal }] : []));
  return rows.rowCount;
}
