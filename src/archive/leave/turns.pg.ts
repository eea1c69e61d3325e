import { leaveDue, type Left, type LeaveOptions } from './leave.pg.js';

/** Creates what lets old uses leave from time to time, beside the archiver's own turns. */
export function createLeaving({
  everyMs,
  ...options
}: Pick<LeaveOptions, 'pool' | 'root' | 'log' | 'hotDays'> & { readonly everyMs: number }) {
  const { log } = options;
  const verified = new Map<string, number>();
  let lookedAt = Number.NEGATIVE_INFINITY;
  return {
    /** Resolves to undefined if it is too early, or if it failed: a failure waits for the next time, and the archive goes on. */
    async turn(signal: AbortSignal): Promise<Left | undefined> {
      if (performance.now() - lookedAt < everyMs) return undefined;
      let left: Left | undefined;
      try {
        left = await leaveDue({ ...options, verified, signal });
      } catch (err) {
        if (!signal.aborted) log.warn({ err }, 'old uses cannot leave the database; trying again later');
      }
      lookedAt = performance.now();
      if (left === undefined) return undefined;
      if (left.uses > 0) log.info({ ...left }, 'uses have left the database; the archive has them');
      if (left.staying > 0)
        log.debug({ uses: left.staying }, 'old uses stay in the database: what they belong to is not known yet');
      return left;
    },
  };
}
