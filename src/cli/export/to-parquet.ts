import { dirname, resolve } from 'node:path';

/*
 * Columns of a Parquet file of OCSF events. They are written down, because columns that are guessed from the rows differ from file to file. Members whose
 * form OCSF leaves open are JSON.
 */
const ORGANIZATION = 'STRUCT(uid VARCHAR)';
const USER = `STRUCT("name" VARCHAR, uid VARCHAR, uid_alt VARCHAR, "domain" VARCHAR, type_id INTEGER, "type" VARCHAR, org ${ORGANIZATION})`;
const SESSION = 'STRUCT(uid VARCHAR, issuer VARCHAR, created_time BIGINT, expiration_time BIGINT)';
const PRODUCT = 'STRUCT("name" VARCHAR, vendor_name VARCHAR, "version" VARCHAR)';
const COLUMNS = {
  metadata: `STRUCT("version" VARCHAR, product ${PRODUCT}, tenant_uid VARCHAR, uid VARCHAR, original_event_uid VARCHAR, correlation_uid VARCHAR, event_code VARCHAR, log_provider VARCHAR, "sequence" BIGINT, logged_time BIGINT, profiles VARCHAR[])`,
  category_uid: 'INTEGER',
  category_name: 'VARCHAR',
  class_uid: 'INTEGER',
  class_name: 'VARCHAR',
  activity_id: 'INTEGER',
  activity_name: 'VARCHAR',
  type_uid: 'BIGINT',
  time: 'BIGINT',
  start_time: 'BIGINT',
  end_time: 'BIGINT',
  count: 'BIGINT',
  severity_id: 'INTEGER',
  status_id: 'INTEGER',
  status_code: 'VARCHAR',
  status_detail: 'VARCHAR',
  message: 'VARCHAR',
  action_id: 'INTEGER',
  action: 'VARCHAR',
  disposition_id: 'INTEGER',
  disposition: 'VARCHAR',
  user: USER,
  actor: `STRUCT("user" ${USER}, session ${SESSION}, app_uid VARCHAR, app_name VARCHAR, idp STRUCT(uid VARCHAR, issuer VARCHAR))`,
  privileges: 'VARCHAR[]',
  resources: 'STRUCT(uid VARCHAR)[]',
  service: 'STRUCT(uid VARCHAR)',
  session: SESSION,
  authentication_token:
    'STRUCT(type_id INTEGER, "type" VARCHAR, uid VARCHAR, created_time BIGINT, expiration_time BIGINT)',
  auth_protocol_id: 'INTEGER',
  auth_protocol: 'VARCHAR',
  api: 'STRUCT(operation VARCHAR)',
  src_endpoint: 'STRUCT(ip VARCHAR, "name" VARCHAR)',
  http_request: 'STRUCT(url STRUCT("path" VARCHAR))',
  http_response: 'STRUCT(code INTEGER)',
  trace: 'STRUCT(uid VARCHAR)',
  entity: 'JSON',
  unmapped: 'JSON',
} as const;

/** Rows go through memory in groups, so that a file of any length needs no more. */
const MEMORY_LIMIT = '512MB';

const quote = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** Writes a file of OCSF events, a line each, as Parquet, in the same order. DuckDB reaches the two files' directory alone. */
export async function toParquet(lines: string, parquet: string): Promise<void> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: MEMORY_LIMIT });
  const connection = await instance.connect();
  try {
    for (const setting of [
      `SET allowed_directories = [${quote(dirname(resolve(lines)))}]`,
      "SET temp_directory = ''",
      'SET enable_external_access = false',
      'SET lock_configuration = true',
    ])
      await connection.run(setting);
    const columns = Object.entries(COLUMNS).map(([name, type]) => `${quote(name)}: ${quote(type)}`);
    await connection.run(
      `COPY (SELECT * FROM read_json(${quote(resolve(lines))}, format = 'newline_delimited', columns = {${columns.join(', ')}}))
       TO ${quote(resolve(parquet))} (FORMAT parquet, COMPRESSION zstd)`,
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
