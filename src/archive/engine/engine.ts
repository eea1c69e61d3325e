// Writes the Parquet files of one segment in a process of its own, so that neither its memory nor a crash of DuckDB touches the service. It reads one
// `EngineJob` from standard input, writes one `EngineResult` to standard output, and imports no file of Rescind, so it starts fast.
import { stdin, stdout } from 'node:process';
import { text } from 'node:stream/consumers';
import { DuckDBInstance } from '@duckdb/node-api';

export interface EngineJob {
  /** The one directory that DuckDB may read and write. */
  readonly directory: string;
  readonly tables: readonly EngineTable[];
}

export interface EngineTable {
  readonly name: string;
  /** Path of the rows as CSV, without a header. `\N` without quotes is null. */
  readonly csv: string;
  readonly parquet: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly order: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface EngineResult {
  /** By the name of the table. The times are null for tables without them. */
  readonly written: Readonly<
    Record<string, { readonly rows: number; readonly firstAt: string | null; readonly lastAt: string | null }>
  >;
}

/** DuckDB needs some 60 MB for a full segment. */
const MEMORY_LIMIT = '256MB';
/** Rows of a row group: eight of a full segment, each with its own zone map. */
const ROW_GROUP_ROWS = 8_192;

const quote = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** PostgreSQL writes these types as text that DuckDB does not read as such: digests as hexadecimal digits. */
const CONVERTED: Readonly<Record<string, (column: string) => string>> = {
  BLOB: (column) => `unhex(${column})`,
  'INTEGER[]': (column) => `${column}::INTEGER[]`,
};

function copyStatement({ csv, parquet, columns, order, metadata }: EngineTable): string {
  const read = columns.map(({ name, type }) => `${quote(name)}: ${quote(type in CONVERTED ? 'VARCHAR' : type)}`);
  const selected = columns.map(({ name, type }) => `${CONVERTED[type]?.(name) ?? name} AS ${name}`);
  const kept = Object.entries(metadata).map(([key, value]) => `${quote(key)}: ${quote(value)}`);
  return `
    COPY (
      SELECT ${selected.join(', ')}
      FROM read_csv(${quote(csv)}, columns = {${read.join(', ')}}, auto_detect = false, header = false, delim = ',', quote = '"', escape = '"',
                    nullstr = '\\N', allow_quoted_nulls = false, parallel = false, strict_mode = true)
      ORDER BY ${order}
    ) TO ${quote(parquet)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP_ROWS}, KV_METADATA {${kept.join(', ')}})`;
}

async function write({ directory, tables }: EngineJob): Promise<EngineResult> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: MEMORY_LIMIT });
  const connection = await instance.connect();
  for (const setting of [
    `SET allowed_directories = [${quote(directory)}]`,
    "SET temp_directory = ''",
    'SET enable_external_access = false',
    'SET lock_configuration = true',
  ])
    await connection.run(setting);
  const written: Record<string, EngineResult['written'][string]> = {};
  for (const table of tables) {
    await connection.run(copyStatement(table));
    const times = table.columns.some(({ name }) => name === 'first_at')
      ? 'min(first_at)::VARCHAR AS first_at, max(last_at)::VARCHAR AS last_at'
      : 'NULL AS first_at, NULL AS last_at';
    // Read back from the file: a file that cannot be read is not named in a manifest.
    const [row] = (
      await connection.runAndReadAll(
        `SELECT count(*)::INTEGER AS rows, ${times} FROM read_parquet(${quote(table.parquet)}, hive_partitioning = false)`,
      )
    ).getRowObjects();
    written[table.name] = {
      rows: row!['rows'] as number,
      firstAt: row!['first_at'] as string | null,
      lastAt: row!['last_at'] as string | null,
    };
  }
  connection.closeSync();
  instance.closeSync();
  return { written };
}

stdout.write(JSON.stringify(await write(JSON.parse(await text(stdin)) as EngineJob)));
