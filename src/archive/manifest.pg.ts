import { byteaArray, int8Array, textArray, type PoolClient } from '../platform/postgres/index.js';
import { filePath, type Range } from './segment.js';
import { TABLE_NAMES, type TableName } from './tables.js';

/** A file of a segment, as its manifest row states it. */
export interface ArchivedFile extends Omit<Range, 'tenant'> {
  readonly name: TableName;
  readonly rows: number;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** The earliest and the latest time of the uses in the file, epoch seconds; null for tables without times and for empty files. */
  readonly firstAt: number | null;
  readonly lastAt: number | null;
}

/** Reads rows of one tenant, who is `$1` of each statement: a snapshot of a question, or a plain query. */
export type TenantRows = <R extends Record<string, unknown>>(sql: string, values?: readonly unknown[]) => Promise<R[]>;

export interface Manifest {
  /** The entries below this index are archived. */
  readonly end: bigint;
  /** In the order of ranges. */
  readonly files: readonly ArchivedFile[];
}

const READ_END = 'SELECT end_ix FROM archive_head WHERE tenant = $1';
const READ_FILES = `
  SELECT name, first_ix, end_ix, day::text AS day, row_n, bytes, encode(sha256, 'hex') AS sha256, first_at, last_at
  FROM archive_file WHERE tenant = $1 ORDER BY first_ix, name`;

type FileRow = Record<'name' | 'first_ix' | 'end_ix' | 'day' | 'row_n' | 'bytes' | 'sha256', string> &
  Record<'first_at' | 'last_at', string | null>;

/** Reads what is archived of a tenant. To be combined with rows of `access`, both must be read in one snapshot. */
export async function readManifest(rows: TenantRows): Promise<Manifest> {
  const [head] = await rows<{ end_ix: string }>(READ_END);
  const files = await rows<FileRow>(READ_FILES);
  return { end: BigInt(head?.end_ix ?? 0), files: files.map(fileOf) };
}

const fileOf = (row: FileRow): ArchivedFile => ({
  name: row.name as TableName,
  first: BigInt(row.first_ix),
  end: BigInt(row.end_ix),
  day: row.day,
  rows: Number(row.row_n),
  bytes: Number(row.bytes),
  sha256: row.sha256,
  firstAt: row.first_at === null ? null : Number(row.first_at),
  lastAt: row.last_at === null ? null : Number(row.last_at),
});

/** Returns the path of an archived file below its tenant's directory. */
export const pathOf = (file: ArchivedFile): string => filePath(file.name, file);

export const rowsOfTenant =
  (client: Pick<PoolClient, 'query'>, tenant: string): TenantRows =>
  async <R extends Record<string, unknown>>(sql: string, values: readonly unknown[] = []) =>
    (await client.query<R>(sql, [tenant, ...values])).rows;

const COLUMNS_OF_FILES = '$4::text[], $5::bigint[], $6::bigint[], $7::bytea[], $8::bigint[], $9::bigint[]';

const COMMIT = `
  WITH moved AS (
    UPDATE archive_head SET end_ix = $3::bigint WHERE tenant = $1 AND end_ix = $2::bigint RETURNING tenant
  ),
  kept AS (
    INSERT INTO archive_file (tenant, name, first_ix, end_ix, day, row_n, bytes, sha256, first_at, last_at)
    SELECT m.tenant, f.name, $2, $3, $10::date, f.row_n, f.bytes, f.sha256, f.first_at, f.last_at
    FROM moved m CROSS JOIN unnest(${COLUMNS_OF_FILES}) AS f (name, row_n, bytes, sha256, first_at, last_at)
  )
  SELECT count(*)::int AS moved FROM moved`;

/** Replaces the rows of one segment's files. The range must be archived. */
const REPLACE = `
  WITH gone AS (
    DELETE FROM archive_file WHERE tenant = $1 AND first_ix = $2::bigint AND end_ix = $3::bigint AND NOT name = ANY ($4::text[])
  ),
  kept AS (
    INSERT INTO archive_file (tenant, name, first_ix, end_ix, day, row_n, bytes, sha256, first_at, last_at)
    SELECT h.tenant, f.name, $2, $3, $10::date, f.row_n, f.bytes, f.sha256, f.first_at, f.last_at
    FROM archive_head h CROSS JOIN unnest(${COLUMNS_OF_FILES}) AS f (name, row_n, bytes, sha256, first_at, last_at)
    WHERE h.tenant = $1 AND h.end_ix >= $3
    ON CONFLICT (tenant, name, first_ix) DO UPDATE
    SET row_n = excluded.row_n, bytes = excluded.bytes, sha256 = excluded.sha256, first_at = excluded.first_at, last_at = excluded.last_at
    RETURNING tenant
  )
  SELECT count(*)::int AS moved FROM kept`;

const valuesOf = ({ tenant, first, end, day }: Range, files: readonly ArchivedFile[]): unknown[] => [
  tenant,
  String(first),
  String(end),
  textArray(files.map(({ name }) => name)),
  int8Array(files.map(({ rows }) => rows)),
  int8Array(files.map(({ bytes }) => bytes)),
  byteaArray(files.map(({ sha256 }) => Buffer.from(sha256, 'hex'))),
  int8Array(files.map(({ firstAt }) => firstAt)),
  int8Array(files.map(({ lastAt }) => lastAt)),
  day,
];

/**
 * Moves the end of the tenant's archive from the range's first index to its end, by compare-and-swap, together with the rows of its files.
 * Throws if the archive does not end where the range begins.
 */
export async function commitSegment(client: PoolClient, range: Range, files: readonly ArchivedFile[]): Promise<void> {
  const { rows } = await client.query<{ moved: number }>(COMMIT, valuesOf(range, files));
  if (rows[0]!.moved !== 1) throw new Error(`the archive of ${range.tenant} does not end at ${range.first}`);
}

export async function replaceSegment(client: PoolClient, range: Range, files: readonly ArchivedFile[]): Promise<void> {
  const { rows } = await client.query<{ moved: number }>(REPLACE, valuesOf(range, files));
  if (rows[0]!.moved !== files.length) throw new Error(`the range ${range.first} of ${range.tenant} is not archived`);
}

/** Replaces the manifest row of one file, which must be there. */
export async function replaceFile(
  client: PoolClient,
  { tenant, first }: Range,
  { name, rows, bytes, sha256 }: ArchivedFile,
): Promise<void> {
  const { rowCount } = await client.query(
    "UPDATE archive_file SET row_n = $4, bytes = $5, sha256 = decode($6, 'hex') WHERE tenant = $1 AND name = $2 AND first_ix = $3::bigint",
    [tenant, name, String(first), rows, bytes, sha256],
  );
  if (rowCount !== 1) throw new Error(`the archive has no file ${name} of the range ${first} of ${tenant}`);
}

/** Makes sure that the tenant's archive has an end to move. */
export async function openHead(client: PoolClient, tenant: string): Promise<void> {
  await client.query('INSERT INTO archive_head (tenant) VALUES ($1) ON CONFLICT DO NOTHING', [tenant]);
}

export const isTableName = (name: string): name is TableName => (TABLE_NAMES as readonly string[]).includes(name);
