import type { Metrics } from '../../platform/observe/index.js';
import type { Response } from './messages.js';

/** How statements end. `cancelled`: the client had left, and the engine stopped computing. `failed`: any other failure, or the engine ended. */
const OUTCOMES = ['answered', 'cancelled', 'too-long', 'too-large', 'failed'] as const;
type Outcome = (typeof OUTCOMES)[number];

/** Seconds, up to the time that one statement may take. */
const BUCKETS_S = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20] as const;

export interface EngineMetrics {
  /** Counts and measures one statement. */
  measure(run: () => Promise<Response>): Promise<Response>;
  restarted(): void;
}

export function createEngineMetrics(metrics: Metrics): EngineMetrics {
  const questions = metrics.counter(
    'rescind_explore_questions_total',
    'Statements that the engine of explore ran, by how they ended. A file of rows has one for each range of the ledger.',
    ['outcome'],
  );
  for (const outcome of OUTCOMES) questions.inc({ outcome }, 0);
  const seconds = metrics.histogram(
    'rescind_explore_seconds',
    'Duration of one statement in the engine of explore.',
    [],
    BUCKETS_S,
  );
  const restarts = metrics.counter(
    'rescind_explore_engine_restarts_total',
    'Times that the engine of explore was started again after it had ended.',
  );
  let running = 0;
  metrics.gauge('rescind_explore_running', 'Statements that the engine of explore runs now.', [], () => running);

  return {
    async measure(run) {
      const startedAt = performance.now();
      let outcome: Outcome = 'failed';
      running += 1;
      try {
        const response = await run();
        outcome = outcomeOf(response);
        return response;
      } finally {
        running -= 1;
        questions.inc({ outcome });
        seconds.observe((performance.now() - startedAt) / 1_000);
      }
    },
    restarted: () => restarts.inc(),
  };
}

function outcomeOf(response: Response): Outcome {
  if (!('failed' in response)) return 'answered';
  const { failed } = response;
  return failed === 'cancelled' || failed === 'too-long' || failed === 'too-large' ? failed : 'failed';
}
