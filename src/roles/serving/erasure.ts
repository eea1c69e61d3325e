import { countNameFiles, rewriteNameFiles } from '../../archive/index.js';
import { createErasures, type Erasures } from '../../erasure/index.js';
import { contentOf, createOwnTeller, type Appender } from '../../ingest/index.js';
import { createPool } from '../../platform/postgres/index.js';
import { createForgetting } from '../../registry/index.js';
import type { Parts } from '../parts.js';

/** One connection for steps, one for the archive's files, and two for previews. */
const ERASURE_CONNECTIONS = 4;
/** A step may search the findings, the control log and the quarantine of a whole tenant. */
const ERASURE_TIMEOUTS = { statementMs: 300_000, transactionMs: 600_000 };

/** Starts to erase persons, which every process with the role `serve` does; they take turns by rows of the database. */
export function startErasures(
  { config, url, log, lifecycle, controlLog, follower, pool: decisions, watchPool }: Parts,
  appender: Appender,
): Erasures {
  const pool = createPool({
    url,
    max: ERASURE_CONNECTIONS,
    applicationName: 'rescind-erasure',
    timeouts: ERASURE_TIMEOUTS,
    onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost'),
  });
  lifecycle.onStop('erasure pool', () => pool.end());
  watchPool('erasure', pool);
  const { state } = follower;
  const erasures = createErasures({
    pool,
    contentOf,
    tell: createOwnTeller({ name: 'person.erased', state, appender, pool: decisions }),
    forget: createForgetting({ controlLog, follower }),
    rewriteNameFiles: (tenant, ids) => rewriteNameFiles({ pool, root: config.archiveDir, tenant, ids }),
    countNameFiles: (tenant, ids) => countNameFiles({ pool, tenant, ids }),
    tenants: () => state.tenants(),
    log,
  });
  lifecycle.onStop('erasures', () => erasures.stop());
  erasures.start();
  return erasures;
}
