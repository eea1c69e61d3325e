import { setTimeout as delay } from 'node:timers/promises';

/** Pause between two looks for something new. */
const LOOK_EVERY_MS = 1_000;
/** Pause after a failure: it begins with that of two looks, and doubles up to this. */
const MOST_RETRY_MS = 60_000;

/** Looks again and again while a process runs. */
export interface Looking {
  start(): void;
  /** Ends after the look under way. */
  stop(): Promise<void>;
}

/** Makes what looks once a second, and less often while that fails. `look` gets a signal that asks it to end; its failures after that are not told. */
export function createLooking(
  look: (signal: AbortSignal) => Promise<void>,
  onFailure: (err: unknown, retryMs: number) => void,
): Looking {
  const ending = new AbortController();
  let running: Promise<void> = Promise.resolve();

  async function run(): Promise<void> {
    let retryMs = LOOK_EVERY_MS;
    while (!ending.signal.aborted) {
      let pauseMs = LOOK_EVERY_MS;
      try {
        await look(ending.signal);
        retryMs = LOOK_EVERY_MS;
      } catch (err) {
        if (ending.signal.aborted) return;
        onFailure(err, retryMs);
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
