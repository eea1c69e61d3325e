import { setTimeout as delay } from 'node:timers/promises';
import type { Caller } from '../control/index.js';
import { createRestraint, type RestraintLimits } from '../platform/bounds/index.js';
import type { Facts } from './facts/facts.js';
import type { TokenVerifier } from './jwt/token-verifier.js';
import type { Refusal } from './outcomes.js';
import type { Gathered, Need, Question } from './question.js';
import type { Recordings } from './recordings.js';

/** Milliseconds to wait before each further look for a token not yet seen. */
const POLL_AFTER_MS = [20, 30, 50, 100] as const;

/** Questions of one caller that wait for facts at the same time; more are answered without waiting. */
const MAX_WAITERS = 256;

/** Limits of one caller for tokens that turn out not to be recorded. */
const LOOK_UPS: RestraintLimits = {
  burst: 1_000,
  perSecond: 1_000,
  maxQueued: 2_000,
  maxWaitMs: 2_000,
};

/**
 * Limits of one caller for signatures that turn out forged. Recorded tokens have limits of their own, which only texts under
 * the identity of a recorded token can use up.
 */
const SIGNATURES: RestraintLimits = { burst: 64, perSecond: 100, maxQueued: 2_000, maxWaitMs: 2_000 };

export interface GatheringOptions {
  readonly facts: Facts;
  readonly verifier: TokenVerifier;
  readonly recordings: Recordings;
  /** Milliseconds on a clock that only goes forward, by which a caller's bounds fill up again. */
  readonly monotonic?: (() => number) | undefined;
}

/** A question that cannot be decided yet, and what it lacks. */
export interface Lacking {
  readonly need: Need;
  readonly question: Question;
  readonly caller: Caller;
}

/** Fetches what questions lack, within the bounds of their callers. */
export interface Gathering {
  /** Fetches what is needed, in the caller's turn. Returns a refusal only where waiting is over. */
  fetch(lacking: Lacking, gathered: Gathered, digest: string): Promise<Refusal | undefined>;
  /** Ends the question's wait. */
  end(caller: Caller, gathered: Gathered): void;
}

export function createGathering({ facts, verifier, recordings, monotonic }: GatheringOptions): Gathering {
  /** Questions that wait, by caller. */
  const waiters = new Map<string, number>();
  const lookUps = createRestraint(LOOK_UPS, monotonic);
  const signaturesOfRecorded = createRestraint(SIGNATURES, monotonic);
  const signaturesOfOthers = createRestraint(SIGNATURES, monotonic);

  /** False when there is nothing more to wait for, or too many questions of this caller wait already. */
  async function waitForNextPoll({ id }: Caller, gathered: Gathered): Promise<boolean> {
    const waitMs = POLL_AFTER_MS[gathered.polls];
    if (waitMs === undefined) return false;
    if (gathered.polls === 0) {
      const waiting = waiters.get(id) ?? 0;
      if (waiting >= MAX_WAITERS) return false;
      waiters.set(id, waiting + 1);
    }
    gathered.polls++;
    await delay(waitMs);
    return true;
  }

  return {
    async fetch({ need, question: { tenant }, caller }, gathered, digest) {
      switch (need.what) {
        case 'token':
          gathered.token = (await lookUps.run(caller.id, () => facts.token(tenant, need.key, need.memoryKey))) ?? null;
          return undefined;
        case 'id-jag':
          // Its signature was good: whether it is recorded says nothing about the caller.
          gathered.idJag = (await facts.idJag(tenant, need.key)) ?? null;
          return undefined;
        case 'signature': {
          const signatures = gathered.token ? signaturesOfRecorded : signaturesOfOthers;
          gathered.unverified =
            (await signatures.run(caller.id, () => verifier.verify(tenant, need.jws, digest, need.use))) === undefined;
          return undefined;
        }
        case 'time':
          if (!(await waitForNextPoll(caller, gathered))) {
            gathered.waited = true;
            return need.otherwise;
          }
          gathered.token = (await lookUps.run(caller.id, () => facts.token(tenant, need.key, need.memoryKey))) ?? null;
          return undefined;
        case 'record':
          gathered.recorded = await recordings.record({ tenant, key: need.key, data: need.facts }, caller.id);
          // The first record counts, even if it is an event that came meanwhile.
          gathered.token = (await facts.token(tenant, need.key, need.memoryKey)) ?? null;
          return undefined;
        default:
          return need satisfies never;
      }
    },
    end({ id }, { polls }) {
      if (polls > 0) waiters.set(id, waiters.get(id)! - 1);
    },
  };
}
