import type { ControlFollower } from '../control/index.js';
import type { HotHandler } from '../platform/http/index.js';
import type { Log } from '../platform/log/index.js';
import type { Metrics } from '../platform/observe/index.js';
import type { Authenticator } from '../registry/index.js';
import type { RemoteAddress } from './answers.js';
import { frame } from './sse/frames.js';
import { createGrantsBook } from './grants-book.js';
import { createLeaseEndpoint } from './lease-endpoint.js';
import { createRecentRecords } from './recent.js';
import { createStreamEndpoint } from './stream-endpoint.js';
import { createSubscribers, HEARTBEAT_MS } from './subscribers.js';
import { createTokenEndpoint, type SeeToken } from './token-endpoint.js';
import { createGuardReports } from './watch/guard-reports.js';

/** How often a fetched key set is checked for changes. */
const KEYS_INTERVAL_MS = 1_000;

/**
 * How long a change of keys is remembered for guards that may have missed it. No answer that a guard keeps, plus the fetch delay of its
 * node, is older.
 */
const KEYS_REMEMBERED_MS = 15 * 60_000;

/** How long a stop waits for the grants to end: longer than f L of the default, shorter than a step of the shutdown may take. */
const DRAIN_LIMIT_MS = 15_000;

export interface FeedsOptions {
  readonly follower: Pick<ControlFollower, 'state' | 'guards' | 'onApplied'>;
  readonly authenticate: Authenticator;
  readonly sight: SeeToken;
  /** Raised when a key that verified a signature may be gone. Such a change is no control record. */
  readonly keysVersion: () => number;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly remoteAddress: RemoteAddress;
  /** Sends messages about guards to the processes that show how a rule comes into force. */
  readonly reportGuards?: (messages: readonly string[]) => Promise<unknown>;
  readonly limits?: Partial<FeedLimits>;
  /** Clock in milliseconds that never goes back. */
  readonly monotonic?: () => number;
}

/** Overrides of the constants of the same names. */
export interface FeedLimits {
  readonly maxRecent: number;
  readonly maxWaitingBytes: number;
  readonly maxSubscribers: number;
  readonly maxSubscribersACaller: number;
  readonly maxSubscribersATenant: number;
  readonly maxGuards: number;
  readonly maxGuardsATenant: number;
  readonly heartbeatMs: number;
}

export interface Feeds {
  /** Handlers of `/feed`, `/feed/lease` and `/feed/token`, dispatched in front of the framework. */
  readonly handlers: ReadonlyMap<string, HotHandler>;
  /** Stops granting, waits for the grants to end, then ends the streams. Call it before the server closes; the node answers meanwhile. */
  stop(): Promise<void>;
}

export function createFeeds(options: FeedsOptions): Feeds {
  const {
    follower,
    authenticate,
    sight,
    keysVersion,
    metrics,
    log,
    remoteAddress,
    reportGuards,
    limits = {},
    monotonic = () => performance.now(),
  } = options;
  const { state, guards } = follower;
  const recent = createRecentRecords({
    head: state.head,
    monotonic,
    ...(limits.maxRecent === undefined ? {} : { max: limits.maxRecent }),
  });
  const subscribers = createSubscribers({ metrics, log, ...limits });
  const book = createGrantsBook(limits);
  const reports = reportGuards && createGuardReports({ send: reportGuards, lastOf: recent.lastOf, monotonic });
  let isStopping = false;
  let keys = keysVersion();
  let keysChangedAt = -Infinity;

  follower.onApplied((records) => {
    if (records.length > 0) subscribers.tell(records.map(recent.put), recent.head);
  });

  function lookAtKeys(): void {
    const now = keysVersion();
    if (now === keys) return;
    keys = now;
    keysChangedAt = monotonic();
    subscribers.tellAll(frame('forget', recent.head, { all: true }));
  }

  function haveKeysChanged(): boolean {
    lookAtKeys();
    return monotonic() - keysChangedAt < KEYS_REMEMBERED_MS;
  }

  const timers = [
    setInterval(lookAtKeys, KEYS_INTERVAL_MS),
    setInterval(() => {
      subscribers.beat();
      book.prune(monotonic());
      reports?.prune();
    }, limits.heartbeatMs ?? HEARTBEAT_MS),
  ].map((timer) => timer.unref());

  const stream = createStreamEndpoint({
    state,
    authenticate,
    recent,
    subscribers,
    metrics,
    remoteAddress,
    isStopping: () => isStopping,
    haveKeysChanged,
    ...limits,
  });
  const lease = createLeaseEndpoint({
    guards,
    authenticate,
    recent,
    book,
    metrics,
    log,
    remoteAddress,
    onGranted: reports?.granted,
    monotonic,
  });
  const token = createTokenEndpoint({ state, authenticate, sight, metrics, log, remoteAddress });

  return {
    handlers: new Map([
      ['/feed', stream],
      ['/feed/lease', lease],
      ['/feed/token', token],
    ]),
    async stop() {
      isStopping = true;
      if (!(await isOverWithin(guards.drain(), DRAIN_LIMIT_MS)))
        log.warn('grants of guards still run; their streams end');
      for (const timer of timers) clearInterval(timer);
      reports?.stop();
      await subscribers.end();
    },
  };
}

async function isOverWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const isOver = await Promise.race([work.then(() => true), tooLate]);
  clearTimeout(timer);
  return isOver;
}
