import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../platform/log/index.js';
import type { Metrics } from '../../platform/observe/index.js';
import { withSessionLock } from '../../platform/postgres/index.js';
import { OUTCOMES } from '../actions/decide.js';
import { actOnce, type ActOptions } from './act.pg.js';

/** Advisory lock of the one process that acts on findings; an arbitrary number. */
const ACTOR_LOCK = '7429';
/** Pause between two looks for new findings. */
const LOOK_EVERY_MS = 1_000;
/** Pause after a failure; it doubles up to the most. */
const MOST_RETRY_MS = 60_000;

export interface ActorOptions extends Omit<ActOptions, 'onOutcome'> {
  readonly tenants: () => Iterable<{ readonly id: string }>;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Actor {
  start(): void;
  /** Ends after the pass under way. */
  stop(): Promise<void>;
}

/**
 * Acts on findings while it runs. The lock saves work: it keeps other processes from deciding the same. That a finding gets one rule at most is kept by
 * `actOnce`.
 */
export function createActor({ tenants, log, metrics, ...options }: ActorOptions): Actor {
  const ending = new AbortController();
  let running: Promise<void> = Promise.resolve();
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

  async function pass(): Promise<void> {
    await withSessionLock(options.pool, ACTOR_LOCK, async () => {
      const failures: unknown[] = [];
      for (const { id } of tenants())
        if (!ending.signal.aborted) await actOnce(act, id).catch((error: unknown) => void failures.push(error));
      if (failures.length > 0) throw failures[0];
    });
  }

  async function run(): Promise<void> {
    let retryMs = LOOK_EVERY_MS;
    while (!ending.signal.aborted) {
      let pauseMs = LOOK_EVERY_MS;
      try {
        await pass();
        retryMs = LOOK_EVERY_MS;
      } catch (err) {
        if (ending.signal.aborted) return;
        errors.inc();
        log.warn({ err, retry_ms: retryMs }, 'cannot act on findings; retrying');
        pauseMs = retryMs;
        retryMs = Math.min(2 * retryMs, MOST_RETRY_MS);
      }
      await delay(pauseMs, undefined, { signal: ending.signal, ref: false }).catch(() => undefined);
    }
  }

  return {
    start() {
      running = run();
    },
    async stop() {
      ending.abort();
      await running;
    },
  };
}
