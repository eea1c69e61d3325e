import type { Log } from '../../platform/log/index.js';
import type { Metrics } from '../../platform/observe/index.js';
import { withSessionLock } from '../../platform/postgres/index.js';
import { OUTCOMES } from '../actions/decide.js';
import { createLooking, type Looking } from '../look.js';
import { actOnce, type ActOptions } from './act.pg.js';

/** Advisory lock of the one process that acts on findings; an arbitrary number. */
const ACTOR_LOCK = '7429';

export interface ActorOptions extends Omit<ActOptions, 'onOutcome'> {
  readonly tenants: () => Iterable<{ readonly id: string }>;
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * Acts on findings while it runs. The lock saves work: it keeps other processes from deciding the same. That a finding gets one rule at most is kept by
 * `actOnce`.
 */
export function createActor({ tenants, log, metrics, ...options }: ActorOptions): Looking {
  const actions = metrics.counter(
    'rescind_findings_actions_total',
    'Decisions of detections about what to do with a finding by themselves, by outcome.',
    ['outcome'],
  );
  for (const outcome of OUTCOMES) actions.inc({ outcome }, 0);
  const errors = metrics.counter(
    'rescind_findings_action_errors_total',
    'Times that acting on findings failed; it begins again with the same findings.',
  );
  const act = { ...options, onOutcome: (outcome: string) => actions.inc({ outcome }) };

  return createLooking(
    async (signal) => {
      await withSessionLock(options.pool, ACTOR_LOCK, async () => {
        const failures: unknown[] = [];
        for (const { id } of tenants())
          if (!signal.aborted) await actOnce(act, id).catch((error: unknown) => void failures.push(error));
        if (failures.length > 0) throw failures[0];
      });
    },
    (err, retryMs) => {
      errors.inc();
      log.warn({ err, retry_ms: retryMs }, 'cannot act on findings; retrying');
    },
  );
}
