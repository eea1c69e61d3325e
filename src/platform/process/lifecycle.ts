import { RescindError } from '../../contracts/index.js';
import type { Log } from '../log/index.js';

/** A step that takes longer is abandoned, so that one stuck connection cannot keep the process alive. */
export const STOP_STEP_TIMEOUT_MS = 20_000;

/**
 * A process that is told to end does so by then, whatever its steps wait for. Accepted events are durable, and guards end the embedded
 * services.
 */
export const STOP_DEADLINE_MS = 4_500;

/** Log line at that deadline. */
export const STOP_DEADLINE_MET = 'the shutdown takes too long; the process ends without the rest of it';

export interface Lifecycle {
  /**
   * Registers a step. Steps run in the reverse order of their registration: the part started last is stopped first. Once a stop has begun,
   * the step runs at once and `shutting-down` is thrown, so that a start under way goes no further.
   */
  onStop(name: string, step: () => Promise<void> | void): void;
  /** Runs the steps once; every caller gets the same promise. Resolves to the names of the steps that failed or hung. */
  stop(reason: string): Promise<readonly string[]>;
  /** Aborted as soon as a stop begins; loops and waits end on it. */
  readonly stopping: AbortSignal;
  /** Resolves when a stop has ended, whoever began it. */
  readonly stopped: Promise<readonly string[]>;
  /** Begins a stop because a part that this process cannot do without is gone for good. */
  fail(error: RescindError): void;
  /** The first error that {@link fail} was called with. */
  readonly failure: RescindError | undefined;
  /**
   * Makes SIGINT and SIGTERM begin a stop. `exit` ends the process at once: at a second signal, whose sender does not want to wait, and at
   * the deadline of any stop.
   */
  ownProcess(options: { readonly exit: () => void; readonly deadlineMs?: number }): void;
}

export function createLifecycle(log: Log, options: { stepTimeoutMs?: number } = {}): Lifecycle {
  const stepTimeoutMs = options.stepTimeoutMs ?? STOP_STEP_TIMEOUT_MS;
  const steps: { name: string; step: () => Promise<void> | void }[] = [];
  const controller = new AbortController();
  let running: Promise<readonly string[]> | undefined;
  let resolveStopped: (failed: readonly string[]) => void;
  const stopped = new Promise<readonly string[]>((resolve) => {
    resolveStopped = resolve;
  });

  const failed: string[] = [];
  const late: Promise<void>[] = [];
  let failure: RescindError | undefined;
  let current: string | undefined;

  async function runStep({ name, step }: (typeof steps)[number]): Promise<void> {
    try {
      await withTimeout(step, stepTimeoutMs);
      log.debug({ step: name }, 'stopped');
    } catch (error) {
      failed.push(name);
      log.error({ step: name, err: error }, 'a step of the shutdown failed');
    }
  }

  async function runSteps(reason: string): Promise<readonly string[]> {
    log.info({ reason }, 'stopping');
    controller.abort();
    for (let next = steps.pop(); next !== undefined; next = steps.pop()) {
      current = next.name;
      await runStep(next);
    }
    current = undefined;
    await Promise.all(late);
    log.info({ failed }, 'stopped');
    return failed;
  }

  function stop(reason: string): Promise<readonly string[]> {
    if (running === undefined) {
      running = runSteps(reason);
      void running.then(resolveStopped);
    }
    return running;
  }

  return {
    onStop(name, step) {
      if (controller.signal.aborted) {
        late.push(runStep({ name, step }));
        throw new RescindError('shutting-down');
      }
      steps.push({ name, step });
    },
    stop,
    stopping: controller.signal,
    stopped,
    fail(error) {
      failure ??= error;
      log.fatal({ code: error.code, detail: error.detail }, 'this process cannot go on and ends');
      void stop('it cannot go on');
    },
    get failure() {
      return failure;
    },
    ownProcess({ exit, deadlineMs = STOP_DEADLINE_MS }) {
      controller.signal.addEventListener('abort', () => {
        const deadline = setTimeout(() => {
          log.error({ step: current }, STOP_DEADLINE_MET);
          exit();
        }, deadlineMs).unref();
        // A process may live on after its services have ended.
        void stopped.then(() => clearTimeout(deadline));
      });
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        const listener = (): void => {
          if (running === undefined) void stop(signal);
          else exit();
        };
        process.on(signal, listener);
        void stopped.then(() => process.off(signal, listener));
      }
    },
  };
}

async function withTimeout(step: () => Promise<void> | void, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not finished after ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([Promise.resolve().then(step), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
