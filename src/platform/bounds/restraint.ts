/** Bounds the fruitless work that one caller may cause. An attempt that finds or verifies something is free. */
export interface RestraintLimits {
  /** Attempts that may run at once; also the fruitless attempts that a caller may make in one go after a pause. */
  readonly burst: number;
  /** Fruitless attempts that a caller regains each second. */
  readonly perSecond: number;
  /** Attempts that wait for their turn; one more is refused. */
  readonly maxQueued: number;
  /** How long an attempt waits before it is refused. */
  readonly maxWaitMs: number;
}

/** Rejects an attempt because too many attempts of its caller wait already, or because the attempt waited too long. */
export class TooManyWaiting extends Error {
  override readonly name = 'TooManyWaiting';
}

/**
 * Bounds the cost of one caller's questions, so that random or forged tokens that arrive through one caller slow down nobody else.
 * Each attempt is paid for in advance and paid back if it had a result. Attempts beyond the bound wait for their turn, first come first
 * served. Other callers, and questions answered from memory, are not affected.
 */
export interface Restraint {
  /**
   * Runs `work` in the caller's turn. A result of undefined counts as fruitless. Rejects with {@link TooManyWaiting}, or as `work` does.
   */
  run<T>(caller: string, work: () => Promise<T | undefined>): Promise<T | undefined>;
}

interface Purse {
  left: number;
  at: number;
  readonly queue: Waiting[];
  timer: NodeJS.Timeout | undefined;
}

interface Waiting {
  readonly since: number;
  readonly resolve: () => void;
  readonly reject: (error: TooManyWaiting) => void;
}

/** Milliseconds between two looks at a caller's queue. Several attempts may fall due in one interval. */
const TURN_MS = 10;

/** `monotonic`: a clock in milliseconds that never goes back. */
export function createRestraint(
  { burst, perSecond, maxQueued, maxWaitMs }: RestraintLimits,
  monotonic = (): number => performance.now(),
): Restraint {
  const purses = new Map<string, Purse>();

  function purseOf(caller: string): Purse {
    let purse = purses.get(caller);
    if (!purse) purses.set(caller, (purse = { left: burst, at: monotonic(), queue: [], timer: undefined }));
    const now = monotonic();
    purse.left = Math.min(burst, purse.left + ((now - purse.at) / 1000) * perSecond);
    purse.at = now;
    return purse;
  }

  function serve(caller: string): void {
    const purse = purseOf(caller);
    while (purse.queue.length > 0 && purse.left >= 1) {
      purse.left -= 1;
      purse.queue.shift()!.resolve();
    }
    while (purse.queue.length > 0 && purse.at - purse.queue[0]!.since >= maxWaitMs)
      purse.queue.shift()!.reject(new TooManyWaiting());
    if (purse.queue.length > 0)
      purse.timer ??= setTimeout(() => ((purse.timer = undefined), serve(caller)), TURN_MS).unref();
  }

  async function wait(caller: string, purse: Purse): Promise<void> {
    if (purse.queue.length >= maxQueued) throw new TooManyWaiting();
    const turn = new Promise<void>((resolve, reject) => purse.queue.push({ since: purse.at, resolve, reject }));
    serve(caller);
    return turn;
  }

  function payBack(caller: string): void {
    const purse = purseOf(caller);
    purse.left = Math.min(burst, purse.left + 1);
    if (purse.queue.length > 0) serve(caller);
  }

  return {
    async run(caller, work) {
      const purse = purseOf(caller);
      if (purse.queue.length === 0 && purse.left >= 1) purse.left -= 1;
      else await wait(caller, purse);
      try {
        const result = await work();
        if (result !== undefined) payBack(caller);
        return result;
      } catch (error) {
        payBack(caller);
        throw error;
      }
    },
  };
}
