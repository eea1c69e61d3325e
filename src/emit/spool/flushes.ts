import { RescindError } from '../../contracts/index.js';

/** The calls of `flush` that wait until everything accepted before them is settled. */
export interface Flushes {
  /** Resolves when everything up to `upTo` is settled. Rejects with `emit-failed` after `timeoutMs`, if given. */
  add(upTo: number, timeoutMs: number | undefined): Promise<void>;
  settledUpTo(seq: number): void;
}

export function createFlushes(): Flushes {
  const waiting = new Set<{ readonly upTo: number; readonly resolve: () => void }>();
  return {
    async add(upTo, timeoutMs) {
      let timer: NodeJS.Timeout | undefined;
      const { promise, resolve, reject } = withResolvers();
      const one = { upTo, resolve };
      waiting.add(one);
      if (timeoutMs !== undefined) {
        timer = setTimeout(
          () => reject(new RescindError('emit-failed', { detail: `events still wait after ${timeoutMs} ms` })),
          timeoutMs,
        );
      }
      try {
        await promise;
      } finally {
        clearTimeout(timer);
        waiting.delete(one);
      }
    },
    settledUpTo(seq) {
      for (const { upTo, resolve } of waiting) if (seq >= upTo) resolve();
    },
  };
}

/** `Promise.withResolvers` comes with Node 22. */
function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: RescindError) => void } {
  let [resolve, reject]: [() => void, (error: RescindError) => void] = [() => undefined, () => undefined];
  const promise = new Promise<void>((res, rej) => {
    [resolve, reject] = [res, rej];
  });
  return { promise, resolve, reject };
}
