import { LRUCache } from 'lru-cache';
import type { InactiveReason } from '../../contracts/index.js';
import type { Log } from '../../platform/log/index.js';
import type { RuleKey } from '../../rules/index.js';
import { FINDINGS } from '../outcomes.js';

/** How long refusals are counted before they are handed on: somebody who connects a source looks a moment later. */
const WINDOW_MS = 1_000;

/** Tokens and reasons counted in one window; what comes beyond them is not counted. */
const MAX_COUNTED = 10_000;

/** How long a reason of a source, once logged, is not logged again. */
const LOG_AGAIN_MS = 600_000;
const MAX_LOGGED = 10_000;

/** One recorded token that was refused for one reason. */
export interface RefusedToken {
  readonly tenant: string;
  /** Id of the source that recorded it. */
  readonly source: string;
  readonly reason: InactiveReason;
  /** The member that differs between the text and what is recorded or registered; empty if the facts alone refuse it. */
  readonly member: string;
  readonly token: RuleKey;
}

export interface CountedRefusal extends RefusedToken {
  count: number;
  /** Epoch milliseconds. */
  readonly firstMs: number;
  lastMs: number;
}

/** Takes what was counted in a window. Rejecting loses it. */
export type OnRefused = (refusals: readonly CountedRefusal[]) => Promise<unknown>;

export interface RefusedTokens {
  record(refused: RefusedToken, atMs: number): void;
  /** Hands on what was counted, also when the process ends. */
  stop(): Promise<void>;
}

export interface RefusedTokensOptions {
  /** Absent: nothing is counted. */
  readonly onRefused?: OnRefused | undefined;
  readonly log: Log;
  readonly windowMs?: number;
  readonly maxCounted?: number;
}

/** Counts why recorded tokens are refused, for those who run their sources: the answer says no reason (RFC 7662, section 2.2). */
export function createRefusedTokens({
  onRefused,
  log,
  windowMs = WINDOW_MS,
  maxCounted = MAX_COUNTED,
}: RefusedTokensOptions): RefusedTokens {
  if (!onRefused) return { record: () => undefined, stop: async () => undefined };
  const handOn = onRefused;
  const logged = new LRUCache<string, true>({ max: MAX_LOGGED, ttl: LOG_AGAIN_MS });
  let counted = new Map<string, CountedRefusal>();
  let flushing: Promise<void> = Promise.resolve();

  async function flush(): Promise<void> {
    if (counted.size === 0) return;
    const refusals = [...counted.values()];
    counted = new Map();
    try {
      await handOn(refusals);
    } catch (error) {
      log.warn({ err: error, refusals: refusals.length }, 'counts of refused tokens were lost');
    }
  }

  const timer = setInterval(() => (flushing = flushing.then(flush)), windowMs).unref();

  return {
    record(refused, atMs) {
      const { tenant, source, reason, member, token } = refused;
      const about = `${tenant}|${source}|${reason}|${member}`;
      // A finding is logged for each text.
      if (!FINDINGS.has(reason) && !logged.has(about)) {
        logged.set(about, true);
        log.warn(
          { tenant, source, reason, ...(member === '' ? {} : { member }) },
          'tokens of a source are recorded and not active; `rescind source check` gives the reasons',
        );
      }
      const name = `${about}|${token}`;
      const known = counted.get(name);
      if (known) {
        known.count++;
        known.lastMs = atMs;
      } else if (counted.size < maxCounted) {
        counted.set(name, { ...refused, count: 1, firstMs: atMs, lastMs: atMs });
      }
    },
    async stop() {
      clearInterval(timer);
      await (flushing = flushing.then(flush));
    },
  };
}
