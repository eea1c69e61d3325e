import { LEASE_FRACTION } from '../../lease/index.js';
import { DEFAULT_RETRY_AFTER_S } from '../answer.js';
import type { NodeAnswer, NodeClient } from './node-client.js';
import { failureCode, type ProblemLog } from '../problem-log.js';
import type { GuardState } from '../state.js';
import { readErrorCode, readGrant } from './wire.js';

/** Milliseconds between two renewals. A renewal also follows each applied change. */
const RENEW_MS = 500;
/** Milliseconds that one renewal may take. */
const TIMEOUT_MS = 1_000;
/** Milliseconds before a renewal that a leaving node refused is repeated, so that another node behind the address answers. */
const LEAVING_RETRY_MS = 100;

export interface LeaseKeeperOptions {
  readonly client: NodeClient;
  readonly state: GuardState;
  readonly clock: () => number;
  readonly granted: () => void;
  /** Called when the node says that the stream brings nothing. */
  readonly slow: () => void;
  readonly problem: ProblemLog;
}

/** Renews the guard's lease, one request at a time. */
export interface LeaseKeeper {
  start(): void;
  /** Renews at once, because a change was applied and the node waits to hear so. */
  renew(): void;
  /** Gives the grant back if one may still run. The state MUST have been stopped before. */
  stop(): Promise<void>;
}

export function createLeaseKeeper({ client, state, clock, granted, slow, problem }: LeaseKeeperOptions): LeaseKeeper {
  // The guard's id at the node. Never the id of an earlier start or life: the node would credit this life with what the earlier one had
  // applied.
  let id = randomId();
  let life = 0;
  let request: AbortController | undefined;
  let isStopped = false;
  let underWay: Promise<void> | undefined;
  let isAskedAgain = false;
  let silentUntil = Number.NEGATIVE_INFINITY;
  /** The latest time at which the last grant ends as the node counts it. */
  let grantEnds = Number.NEGATIVE_INFINITY;
  let interval: ReturnType<typeof setInterval> | undefined;

  function renew(): void {
    if (isStopped) return;
    if (underWay !== undefined) {
      isAskedAgain = true;
      return;
    }
    underWay = ask().finally(() => {
      underWay = undefined;
      if (!isAskedAgain) return;
      isAskedAgain = false;
      renew();
    });
  }

  async function ask(): Promise<void> {
    const asked = clock() < silentUntil ? undefined : state.askLease(clock());
    if (asked === undefined) return;
    if (asked.life !== life) await beginLife(asked.life);
    if (isStopped) return;
    try {
      const { status, body, retryAfter } = await post({ id, held: String(asked.held) });
      const grantMs = status === 200 ? readGrant(body) : undefined;
      if (grantMs !== undefined) {
        grantEnds = clock() + grantMs;
        state.leaseGranted(asked, grantMs);
        granted();
        return;
      }
      refused(status, readErrorCode(body), retryAfter);
    } catch (error) {
      // The node may have granted a lease although the answer was lost.
      grantEnds = Math.max(grantEnds, clock() + MAX_GRANT_MS);
      if (!isStopped) problem('no answer to a renewal', { code: failureCode(error) });
    }
  }

  async function beginLife(next: number): Promise<void> {
    const ended = id;
    [id, life] = [randomId(), next];
    await giveBack(ended);
  }

  /** Gives a grant back; otherwise orders wait until it ends by time. */
  async function giveBack(ended: string): Promise<void> {
    if (clock() >= grantEnds) return;
    grantEnds = Number.NEGATIVE_INFINITY;
    try {
      await post({ id: ended, held: '0', release: true });
    } catch (error) {
      problem('a grant could not be given back, and ends by time', { code: failureCode(error) });
    }
  }

  function refused(status: number, code: string | undefined, retryAfter: number | undefined): void {
    if (code === 'behind') return;
    problem('no lease', { status, code });
    if (code === 'leaving') return void setTimeout(renew, LEAVING_RETRY_MS);
    silentUntil = clock() + (retryAfter ?? DEFAULT_RETRY_AFTER_S) * 1000;
    if (code === 'slow') slow();
  }

  // One controller a request: listeners would gather on a signal that lives as long as its guard.
  async function post(body: object): Promise<NodeAnswer> {
    const giveUp = new AbortController();
    request = giveUp;
    const timer = setTimeout(() => giveUp.abort(), TIMEOUT_MS);
    try {
      return await client.postLease(body, giveUp.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    start() {
      interval = setInterval(renew, RENEW_MS);
    },
    renew,
    async stop() {
      isStopped = true;
      clearInterval(interval);
      request?.abort();
      await underWay;
      await giveBack(id);
    },
  };
}

/** Longest time that a grant runs, in milliseconds: the fraction f of the longest lease that a node may be set to (30 s). */
const MAX_GRANT_MS = 30_000 * LEASE_FRACTION;

const randomId = (): string =>
  btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
