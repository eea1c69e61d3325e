import type { afterAll } from '@jest/globals';

export interface Cleanups {
  /** Registers what ends a thing. Call it as soon as the thing is there. */
  push(cleanup: () => unknown): void;
  /** Calls all, the newest first and each even if another fails, and rejects with the first failure. Further calls do nothing. */
  run(): Promise<void>;
}

export function createCleanups(): Cleanups {
  const registered: (() => unknown)[] = [];
  return {
    push: (cleanup) => void registered.push(cleanup),
    async run() {
      const failures: unknown[] = [];
      for (let next = registered.pop(); next !== undefined; next = registered.pop()) {
        try {
          await next();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}

/**
 * Cleanups that jest calls after the file or, with `afterEach` as the hook, after each test. A set-up that fails half-way leaves nothing
 * running, whereas a hook of its own that ends the last thing first would fail where that one is missing.
 */
export function cleanUp(hook: typeof afterAll, timeoutMs?: number): Pick<Cleanups, 'push'> {
  const cleanups = createCleanups();
  hook(cleanups.run, timeoutMs);
  return cleanups;
}

/** Starts a fixture of several parts, whose `stop` ends what `start` registered. If `start` fails, the parts before it are ended. */
export async function startParts<T extends object>(
  start: (cleanups: Cleanups) => Promise<T>,
): Promise<T & { stop(): Promise<void> }> {
  const cleanups = createCleanups();
  try {
    return Object.assign(await start(cleanups), { stop: cleanups.run });
  } catch (error) {
    await cleanups.run().catch(() => undefined);
    throw error;
  }
}
