import { createPool, loadSql, type Pool } from '../../platform/postgres/index.js';

const CREATE_CLOCK = loadSql(import.meta.url, 'seeded-clock.sql');
/** Drops only the clock. If the schema has anything else in it, the drop fails and the seeding reports the failure. */
const DROP_CLOCK = `DROP FUNCTION IF EXISTS seed.clock_timestamp(); DROP TABLE IF EXISTS seed.clock; DROP SCHEMA IF EXISTS seed`;

/** The appender's transaction, and reads beside it. */
const CONNECTIONS = 4;

/** Sessions in which `clock_timestamp()` returns the time that was set, so that an event is entered at its arrival in the story. */
export interface SeededSessions {
  readonly pool: Pool;
  /** Sets the time to `at` (epoch seconds), for these sessions only. */
  setClock(at: number): Promise<void>;
  /** Closes the sessions and drops the clock. */
  stop(): Promise<void>;
}

/**
 * Opens sessions with their own clock. The ledger's statements call `clock_timestamp()` by its bare name, which PostgreSQL resolves along
 * the session's search_path. In these sessions a schema with a function of that name precedes `pg_catalog`. The statements stay the
 * service's own, to the letter.
 */
export async function openSeededSessions(url: string): Promise<SeededSessions> {
  const admin = createPool({ url, max: 1, applicationName: 'rescind-seed-clock' });
  try {
    // A killed run leaves its clock behind.
    await admin.query(DROP_CLOCK);
    await admin.query(CREATE_CLOCK);
    const pool = createPool({ url: withSearchPath(url), max: CONNECTIONS, applicationName: 'rescind-seed' });
    return {
      pool,
      async setClock(at) {
        // One statement, so that no session ever finds the table empty.
        await admin.query('WITH gone AS (DELETE FROM seed.clock) INSERT INTO seed.clock VALUES (to_timestamp($1))', [
          at,
        ]);
      },
      async stop() {
        await pool.end();
        await admin.query(DROP_CLOCK).finally(() => admin.end());
      },
    };
  } catch (error) {
    await admin.end();
    throw error;
  }
}

/**
 * Puts the options into the URL, which the driver prefers to all other options. These sessions have no timeouts and end with the process.
 */
function withSearchPath(text: string): string {
  const url = new URL(text);
  url.searchParams.set('options', '-c search_path=seed,pg_catalog,public -c timezone=UTC');
  return url.href;
}
