import type { ControlFollower, ControlLog } from '../../src/control/index.js';
import { createFindings, type FindingsParts } from '../../src/findings/index.js';
import { createAppender, createOwnTeller } from '../../src/ingest/index.js';
import type { Log } from '../../src/platform/log/index.js';
import { createMetrics } from '../../src/platform/observe/index.js';
import type { Pool } from '../../src/platform/postgres/index.js';
import { createAsk } from '../../src/projections/index.js';
import { createReader } from '../../src/query/index.js';

export interface FindingsService extends FindingsParts {
  /** Ends the appender, after what it was given. */
  stopTelling(): Promise<void>;
}

/** The parts of `/v1/findings` on a database of a spec, as the role `serve` makes them. `now` is the clock, epoch seconds. */
export function createFindingsParts(options: {
  readonly pool: Pool;
  readonly controlLog: ControlLog;
  readonly follower: ControlFollower;
  readonly log: Log;
  readonly now: () => number;
}): FindingsService {
  const { pool, controlLog, follower, log, now } = options;
  const { state } = follower;
  const appender = createAppender({ pool, controlLog, follower, log, metrics: createMetrics(), paysOwed: false });
  return {
    findings: createFindings({ ask: createAsk({ pool, now }), reader: createReader(() => state) }),
    tell: createOwnTeller({ name: 'finding.changed', state, appender, pool }),
    tenants: () => state.tenants(),
    log,
    now: () => now() * 1_000,
    stopTelling: () => appender.stop(),
  };
}
