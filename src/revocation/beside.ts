/** Runs work beside an order. The work must neither delay the order for long nor fail it. */
export interface Beside {
  /** Resolves with the work's result, or with null if it failed, took too long, or too much such work is running. Never rejects. */
  <T>(work: () => Promise<T>, timeoutMs?: number): Promise<T | null>;
}

/** `atOnce` includes work that goes on after its caller gave up waiting, so that a slow database does not get ever more questions. */
export function createBeside({
  atOnce,
  timeoutMs: usualMs,
  onFailure = () => undefined,
}: {
  readonly atOnce: number;
  readonly timeoutMs: number;
  readonly onFailure?: (error: unknown) => void;
}): Beside {
  let running = 0;
  return async (work, timeoutMs = usualMs) => {
    if (running >= atOnce) return null;
    running++;
    const done = work()
      .catch((error: unknown) => {
        onFailure(error);
        return null;
      })
      .finally(() => {
        running--;
      });
    return within(timeoutMs, done);
  };
}

/** Resolves with the work's result, or with null if the work takes longer. */
export async function within<T>(timeoutMs: number, work: Promise<T | null>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), timeoutMs);
  });
  try {
    return await Promise.race([work, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
