import type { Log } from './log.js';

/** A step that takes longer is left behind, so that one stuck connection cannot keep the process alive. */
export const STOP_STEP_TIMEOUT_MS = 20_000;

export interface Lifecycle {
  /** Steps run in the reverse order of their registration: what was started last is stopped first. */
  onStop(name: string, step: () => Promise<void> | void): void;
  /** Runs the steps once; every caller gets the same promise. Resolves to the names of the steps that failed or hung. */
  stop(reason: string): Promise<readonly string[]>;
  /** Aborted the moment a stop begins: loops and waits end on it. */
  readonly stopping: AbortSignal;
  /** Resolves when a stop that anybody began has ended. */
  readonly stopped: Promise<readonly string[]>;
  /** SIGINT and SIGTERM begin a stop. `onRepeat` is for a second one, from somebody who does not want to wait. */
  listenForSignals(onRepeat: () => void): void;
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

  async function runSteps(reason: string): Promise<readonly string[]> {
    log.info({ reason }, 'stopping');
    controller.abort();
    const failed: string[] = [];
    for (let next = steps.pop(); next !== undefined; next = steps.pop()) {
      try {
        await withTimeout(next.step, stepTimeoutMs);
        log.debug({ step: next.name }, 'stopped');
      } catch (error) {
        failed.push(next.name);
        log.error({ step: next.name, err: error }, 'a step of the shutdown failed');
      }
    }
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
      if (controller.signal.aborted) log.warn({ step: name }, 'registered during the shutdown');
      steps.push({ name, step });
    },
    stop,
    stopping: controller.signal,
    stopped,
    listenForSignals(onRepeat) {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        const listener = (): void => {
          if (running === undefined) void stop(signal);
          else onRepeat();
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
