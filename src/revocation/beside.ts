/** What is done beside an order and must neither delay it for long nor fail it. */
export interface Beside {
  /** Resolves with what the work gives, or with null: it failed, it took too long, or too much such work is under way. Never rejects. */
  <T>(work: () => Promise<T>, timeoutMs?: number): Promise<T | null>;
}

/** `atOnce` counts work that goes on after nobody waits for it any more, so that a slow database is not asked ever more. */
export function createBeside({ atOnce, timeoutMs: usualMs, onFailure = () => undefined }: { readonly atOnce: number; readonly timeoutMs: number; readonly onFailure?: (error: unknown) => void }): Beside {
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

/** The work's result, or null where it takes longer. */
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
