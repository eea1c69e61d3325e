/**
 * Seconds spent on seeding, by step. `made` and `judged` are time of this process; `written` is time of the appender and PostgreSQL,
 * whether waited for or not.
 */
export interface Pace {
  readonly made: number;
  readonly judged: number;
  readonly written: number;
  /** The part of `written` in which this process did nothing else. */
  readonly waited: number;
}

export function createPace() {
  const spent = { made: 0, judged: 0, written: 0, waited: 0 };
  const since = (at: number): number => (performance.now() - at) / 1000;
  return {
    *made<T>(values: Iterable<T>): Generator<T, void> {
      let at = performance.now();
      for (const value of values) {
        spent.made += since(at);
        yield value;
        at = performance.now();
      }
    },
    judging<T>(work: () => T): T {
      const at = performance.now();
      const result = work();
      spent.judged += since(at);
      return result;
    },
    async writing(work: () => Promise<void>): Promise<void> {
      const at = performance.now();
      await work();
      spent.written += since(at);
    },
    async waiting(promise: Promise<void>): Promise<void> {
      const at = performance.now();
      await promise;
      spent.waited += since(at);
    },
    soFar: (): Pace => ({ ...spent }),
  };
}
