import { Client, type Pool } from 'pg';

/**
 * Runs `sql` in a transaction on a connection of its own to the pool's database, and keeps its locks until the function it resolves to is called, which rolls it
 * back. No timeout of the server ends it, however slow the machine is.
 */
export async function hold(pool: Pool, sql: string): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: pool.options.connectionString });
  // Dropping the database ends what a failed spec has left.
  client.on('error', () => undefined);
  await client.connect();
  await client.query(
    'SET idle_in_transaction_session_timeout = 0; SET transaction_timeout = 0; SET lock_timeout = 0; SET statement_timeout = 0',
  );
  await client.query('BEGIN');
  await client.query(sql);
  let ended: Promise<void> | undefined;
  return () => (ended ??= client.query('ROLLBACK').then(() => client.end()));
}
