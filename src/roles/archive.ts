import { createArchiver } from '../archive/index.js';
import { createPool, endStuckSessions, type SessionTimeouts } from '../platform/postgres/index.js';
import type { Parts } from './parts.js';

/** The session that holds the archive's lock; it reads between two segments too. */
const ARCHIVE_CONNECTIONS = 1;
const ARCHIVE_NAME = 'rescind-archive';

/** Copying a full range takes under a second. */
const ARCHIVE_TIMEOUTS = { statementMs: 60_000, transactionMs: 60_000 } satisfies Partial<SessionTimeouts>;

/** Starts the role `archive`: copies closed ranges of uses to the archive, behind the commit. Nothing waits for it. */
export function startArchive({ config, url, log, metrics, lifecycle, pool: watcher, watchPool }: Parts): void {
  const pool = createPool({
    url,
    max: ARCHIVE_CONNECTIONS,
    applicationName: ARCHIVE_NAME,
    timeouts: ARCHIVE_TIMEOUTS,
    onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost'),
  });
  lifecycle.onStop('archive pool', () => pool.end());
  watchPool('archive', pool);
  lifecycle.onStop(
    'stuck archive sessions',
    endStuckSessions({
      pool: watcher,
      applicationName: ARCHIVE_NAME,
      olderThanMs: ARCHIVE_TIMEOUTS.transactionMs,
      log,
    }),
  );
  const archiver = createArchiver({ pool, root: config.archiveDir, log, metrics, hotDays: config.hotDays });
  lifecycle.onStop('archiver', () => archiver.stop());
  archiver.start();
}
