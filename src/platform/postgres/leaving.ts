import { AsyncLocalStorage } from 'node:async_hooks';

/** Tells the work of a request whether its client is still there. */
export interface Leaving {
  /** Signal of the request that the caller runs for; aborted once the request's client has left. Undefined outside a request. */
  signal(): AbortSignal | undefined;
  /** Runs `work`, and everything that it begins, for the request of `signal`. */
  within<T>(signal: AbortSignal, work: () => T): T;
}

export function createLeaving(): Leaving {
  const current = new AsyncLocalStorage<AbortSignal>();
  return { signal: () => current.getStore(), within: (signal, work) => current.run(signal, work) };
}
