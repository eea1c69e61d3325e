import type { Pool } from 'pg';
import { RescindError } from '../../contracts/index.js';

/** First version with `transaction_timeout`, which ends a session that is stopped inside COPY. */
const MIN_SERVER_VERSION = 170_000;

/** Refuses a PostgreSQL that could forget an answered revocation, or on which a stuck session could block the others. */
export async function checkServer(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ version: string; fsync: string; recovery: boolean }>(
    `SELECT current_setting('server_version_num') AS version, current_setting('fsync') AS fsync, pg_is_in_recovery() AS recovery`,
  );
  const { version, fsync, recovery } = rows[0]!;
  if (Number(version) < MIN_SERVER_VERSION) throw refused('PostgreSQL 17 or newer is needed');
  if (fsync !== 'on')
    throw refused('the server runs with fsync off: a crash could undo a revocation that was answered');
  if (recovery) throw refused('the server is a standby; Rescind decides on the primary only');
}

const refused = (detail: string): RescindError =>
  new RescindError('config-invalid', { detail: `DATABASE_URL: ${detail}` });
