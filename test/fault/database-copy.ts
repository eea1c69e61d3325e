import { Client } from 'pg';

/** How long a session may take to end what it is in the midst of, milliseconds. */
const SESSION_ENDS_WITHIN_MS = 60_000;

/** A copy that can be put in its place. */
export async function copyDatabase(url: string): Promise<{ restore(): Promise<void>; drop(): Promise<void> }> {
  const name = new URL(url).pathname.slice(1);
  const server = new URL(url);
  server.pathname = '/postgres';
  const onServer = async (...statements: readonly string[]): Promise<void> => {
    const client = new Client({ connectionString: server.href });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };
  const replace = (from: string, to: string): Promise<void> =>
    onServer(
      // The follower of the spec itself comes back whenever its session ends.
      `ALTER DATABASE ${from} WITH ALLOW_CONNECTIONS false`,
      `SELECT pg_terminate_backend(pid, ${SESSION_ENDS_WITHIN_MS}) FROM pg_stat_activity WHERE datname IN ('${from}', '${to}')`,
      `DROP DATABASE IF EXISTS ${to} WITH (FORCE)`,
      `CREATE DATABASE ${to} TEMPLATE ${from} STRATEGY wal_log`,
      `ALTER DATABASE ${from} WITH ALLOW_CONNECTIONS true`,
    );
  await replace(name, `${name}_saved`);
  return {
    restore: () => replace(`${name}_saved`, name),
    drop: () => onServer(`DROP DATABASE ${name}_saved WITH (FORCE)`),
  };
}
