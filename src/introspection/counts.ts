import type { IntrospectionCounted } from '../contracts/index.js';
import type { Log } from '../platform/log/index.js';
import type { Metrics } from '../platform/observe/index.js';
import { referenceOf, type KnownToken } from './facts/known-token.js';

/** How long introspections are counted before they are handed on. */
const WINDOW_MS = 60_000;

/** Pairs of token and caller in one window; questions beyond it are answered and not counted. */
const MAX_COUNTED = 100_000;

/** Pairs handed on at a time: as many as fit one transaction of the ledger beside others. */
const COUNTS_A_BATCH = 1_000;

export interface TenantCount {
  readonly tenant: string;
  readonly data: IntrospectionCounted;
}

/**
 * Takes what was counted in a window, at most 1,000 pairs at a time, each pair once. Rejecting loses them: the evidence is
 * best effort (design, section 3).
 */
export type OnCounts = (counts: readonly TenantCount[]) => Promise<unknown>;

export interface Counts {
  /** `at` in epoch seconds. */
  count(token: KnownToken, caller: string, isActive: boolean, at: number): void;
  /** Hands on what was counted, also when the process ends. */
  stop(): Promise<void>;
}

export interface CountsOptions {
  /** Absent: nothing is counted. */
  readonly onCounts?: OnCounts | undefined;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly windowMs?: number;
  readonly maxCounted?: number;
}

export function createCounts({
  onCounts,
  metrics,
  log,
  windowMs = WINDOW_MS,
  maxCounted = MAX_COUNTED,
}: CountsOptions): Counts {
  if (!onCounts) return { count: () => undefined, stop: async () => undefined };
  const handOn = onCounts;
  const dropped = metrics.counter(
    'rescind_introspection_counts_dropped_total',
    'Introspections missing in introspection.counted',
    ['reason'],
  );
  const tooMany = dropped.labels({ reason: 'too-many' });
  // Numbers side by side: a question touches the line of its pair and no object.
  const numbers = new Uint32Array(maxCounted * NUMBERS);
  let pairs: Pair[] = [];
  let places = new Map<string, number>();
  /** Place of the window's first pair, counted from the start of the process: what is below is of a window that ended. */
  let first = 0;
  let flushing: Promise<void> = Promise.resolve();

  /** The first question of a pair in a window, or a caller that takes turns with another. Undefined: no room. */
  function placeOf(token: KnownToken, caller: string, now: number): number | undefined {
    // Without room the search is skipped, so that no question pays for it. A pair that is there may miss a question.
    if (pairs.length === maxCounted) return undefined;
    const name = JSON.stringify([caller, token.common.tenant, token.common.identity, token.common.iss, token.id]);
    let place = places.get(name);
    if (place === undefined) {
      place = pairs.length;
      places.set(name, place);
      pairs.push({ token, caller });
      numbers.set([0, 0, now, now], place * NUMBERS);
    }
    token.usage = first + place;
    return place;
  }

  async function flush(): Promise<void> {
    const counted = pairs.map((pair, place) => toCount(pair, numbers.subarray(place * NUMBERS, (place + 1) * NUMBERS)));
    first += pairs.length;
    pairs = [];
    places = new Map();
    for (let from = 0; from < counted.length; from += COUNTS_A_BATCH) {
      const batch = counted.slice(from, from + COUNTS_A_BATCH);
      try {
        await handOn(batch);
      } catch (error) {
        dropped.inc(
          { reason: 'not-written' },
          batch.reduce((sum, { data }) => sum + data.count, 0),
        );
        log.warn({ err: error, pairs: batch.length }, 'counts of introspections were lost');
      }
    }
  }

  const timer = setInterval(() => (flushing = flushing.then(flush)), windowMs).unref();

  return {
    count(token, caller, isActive, at) {
      const now = Math.floor(at);
      let place: number | undefined = token.usage - first;
      if (place < 0 || pairs[place]!.caller !== caller) {
        place = placeOf(token, caller, now);
        if (place === undefined) return tooMany.inc();
      }
      const offset = place * NUMBERS;
      numbers[offset + COUNT]!++;
      if (isActive) numbers[offset + ACTIVE]!++;
      numbers[offset + TO] = now;
    },
    async stop() {
      clearInterval(timer);
      await (flushing = flushing.then(flush));
    },
  };
}

interface Pair {
  readonly token: KnownToken;
  readonly caller: string;
}

/** Positions of a pair's numbers; times in epoch seconds. */
const [COUNT, ACTIVE, FROM, TO, NUMBERS] = [0, 1, 2, 3, 4] as const;

function toCount({ token, caller }: Pair, numbers: Uint32Array): TenantCount {
  const [count, active, from, to] = [numbers[COUNT]!, numbers[ACTIVE]!, numbers[FROM]!, numbers[TO]!];
  return { tenant: token.common.tenant, data: { caller, token: referenceOf(token), count, active, from, to } };
}
