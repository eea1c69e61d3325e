import { createPool, loadSql, type Pool } from '../platform/postgres/index.js';

const CREATE_CLOCK = loadSql(import.meta.url, 'seeded-clock.sql');
/** Nothing but the clock: with anything else in it the schema stays, and seeding says so. */
const DROP_CLOCK = `DROP FUNCTION IF EXISTS seed.clock_timestamp(); DROP TABLE IF EXISTS seed.clock; DROP SCHEMA IF EXISTS seed`;

/** The appender's transaction, and reads beside it. */
const CONNECTIONS = 4;

/** Sessions that take `clock_timestamp()` for what they were told: an event is entered at the time it arrives in the story. */
export interface SeededSessions {
  readonly pool: Pool;
  /** From now on it is `at`, epoch seconds, for these sessions alone. */
  setClock(at: number): Promise<void>;
  /** Takes the clock away and closes the sessions. */
  stop(): Promise<void>;
}

/**
 * The ledger's statements call `clock_timestamp()` by its bare name, which PostgreSQL looks for along the session's search_path. Here
 * a schema with a function of that name stands in front of `pg_catalog`; the statements are the service's own, to the letter.
 */
export async function openSeededSessions(url: string): Promise<SeededSessions> {
  const admin = createPool({ url, max: 1, applicationName: 'rescind-seed-clock' });
  try {
    // What a run left that was killed.
    await admin.query(DROP_CLOCK);
    await admin.query(CREATE_CLOCK);
    const pool = createPool({ url: withSearchPath(url), max: CONNECTIONS, applicationName: 'rescind-seed' });
    return {
      pool,
      async setClock(at) {
        // One statement, so that no session ever finds the table empty.
        await admin.query('WITH gone AS (DELETE FROM seed.clock) INSERT INTO seed.clock VALUES (to_timestamp($1))', [at]);
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

/** In the URL, where the driver takes options from before all else: these sessions have no timeouts, and end with the process. */
function withSearchPath(text: string): string {
  const url = new URL(text);
  url.searchParams.set('options', '-c search_path=seed,pg_catalog,public -c timezone=UTC');
  return url.href;
}
