import { RescindError } from '../contracts/index.js';

/** Questions that wait for their turn, of all tenants. */
const MAX_WAITING = 512;
/** A larger number of waiting questions counts as a crowd; a page of a console asks fewer. */
const CROWD = 8;
/** While the event loop is busy for a larger share of the time, a crowd begins no question: orders and introspection need the rest. */
const MAX_UTILIZATION = 0.4;
const UTILIZATION_OVER_MS = 20;
/** Milliseconds between two checks of the event loop, and milliseconds after which the next question begins nevertheless. */
const LOOK_AGAIN_MS = 20;
const MAX_REST_MS = 250;
/** Milliseconds after which a waiting question is refused. */
export const TURN_TIMEOUT_MS = 10_000;

export interface Turns {
  /**
   * Resolves when the question may run, with a function that ends its turn. Tenants take turns with one another, and so do the callers of a
   * tenant. Rejects with `overloaded` after {@link TURN_TIMEOUT_MS}, and when `signal` aborts.
   */
  take(asker: Asker, signal: AbortSignal): Promise<() => void>;
  readonly running: number;
  readonly waiting: number;
}

interface Asker {
  readonly tenant: string;
  /** Id of the caller. */
  readonly id: string;
}

interface Waiter {
  readonly asker: Asker;
  readonly begin: () => void;
}

export interface TurnsOptions {
  /** Questions that run at the same time. One tenant always leaves room for another. */
  readonly atOnce: number;
  /** Says whether the event loop is too busy for a crowd of questions. */
  readonly isBusy?: () => boolean;
}

export function createTurns({ atOnce, isBusy = createBusyCheck() }: TurnsOptions): Turns {
  const ofATenant = Math.max(1, atOnce - 1);
  const running = new Map<string, number>();
  const waiting: Waiter[] = [];
  let all = 0;
  let beganAt = -Infinity;
  let lookingAgain: NodeJS.Timeout | undefined;
  const of = (key: string): number => running.get(key) ?? 0;
  const tenantKey = ({ tenant }: Asker): string => `tenant ${tenant}`;
  const callerKey = ({ tenant, id }: Asker): string => `caller ${tenant} ${id}`;

  function count(asker: Asker, by: 1 | -1): void {
    all += by;
    for (const key of [tenantKey(asker), callerKey(asker)]) {
      const next = of(key) + by;
      if (next === 0) running.delete(key);
      else running.set(key, next);
    }
  }

  function begin(asker: Asker): () => void {
    count(asker, 1);
    beganAt = performance.now();
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      count(asker, -1);
      beginNext();
    };
  }

  const mayRun = (asker: Asker): boolean => all < atOnce && of(tenantKey(asker)) < ofATenant;

  /**
   * Begins the next question: that of the tenant with the fewest running questions, then of the caller with the fewest, then the oldest.
   */
  function beginNext(): void {
    if (mustRest()) return lookAgain();
    let next: Waiter | undefined;
    for (const one of waiting) {
      if (mayRun(one.asker) && (next === undefined || isBefore(one.asker, next.asker))) next = one;
    }
    if (next === undefined) return;
    next.begin();
    // Several turns may be free after a rest.
    if (waiting.length > 0) lookAgain();
  }

  const mustRest = (): boolean => waiting.length > CROWD && performance.now() - beganAt < MAX_REST_MS && isBusy();

  function lookAgain(): void {
    lookingAgain ??= setTimeout(() => {
      lookingAgain = undefined;
      beginNext();
    }, LOOK_AGAIN_MS);
  }

  const isBefore = (one: Asker, other: Asker): boolean =>
    of(tenantKey(one)) < of(tenantKey(other)) ||
    (of(tenantKey(one)) === of(tenantKey(other)) && of(callerKey(one)) < of(callerKey(other)));

  return {
    take(asker, signal) {
      if (mayRun(asker) && !mustRest()) return Promise.resolve(begin(asker));
      if (waiting.length >= MAX_WAITING)
        return Promise.reject(new RescindError('overloaded', { detail: 'too many questions wait; ask again later' }));
      return new Promise((resolve, reject) => {
        const leave = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', giveUp);
          waiting.splice(waiting.indexOf(waiter), 1);
        };
        const giveUp = (): void => {
          leave();
          reject(
            new RescindError('overloaded', {
              detail: `no turn within ${TURN_TIMEOUT_MS / 1_000} s: other questions are running; ask again later`,
            }),
          );
        };
        const timer = setTimeout(giveUp, TURN_TIMEOUT_MS).unref();
        const waiter: Waiter = {
          asker,
          begin() {
            leave();
            resolve(begin(asker));
          },
        };
        signal.addEventListener('abort', giveUp, { once: true });
        waiting.push(waiter);
      });
    },
    get running() {
      return all;
    },
    get waiting() {
      return waiting.length;
    },
  };
}

/** Creates a check of whether the event loop was busy for more than {@link MAX_UTILIZATION} of the time since the last check. */
function createBusyCheck(): () => boolean {
  let last = performance.eventLoopUtilization();
  let lookedAt = performance.now();
  let isBusy = false;
  return () => {
    const now = performance.now();
    if (now - lookedAt < UTILIZATION_OVER_MS) return isBusy;
    const current = performance.eventLoopUtilization();
    isBusy = performance.eventLoopUtilization(current, last).utilization > MAX_UTILIZATION;
    [last, lookedAt] = [current, now];
    return isBusy;
  };
}
