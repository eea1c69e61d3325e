import { LEASE_FRACTION } from '../lease/index.js';
import type { RuleKey, SelectorKey } from '../rules/index.js';
import type { ActiveAnswer } from './answer.js';
import { createKeptAnswers, MAX_KEEP_MS, MAX_KEPT_LENGTH, type KeptLimits } from './kept-answers.js';
import { covers, includes, MAX_ALSO, missing, type Interest, type KeySets } from './node/interest.js';
import type { KeptToken } from './token-cache.js';

/** Milliseconds of silence after which a stream counts as broken; the node sends a comment every 5 s. */
export const SILENCE_MS = 12_000;
/** A node's answer about an active token. */
export interface Judgement {
  readonly answer: ActiveAnswer;
  /** How long and for which keys the answer may be kept. Undefined: it is for this call alone. */
  readonly keep: { readonly seq: bigint; readonly keepMs: number; readonly sets: KeySets } | undefined;
}

/** The guard's knowledge when it sent a question, so that a late answer cannot bring back what has been forgotten since. */
export interface Asked {
  readonly at: number;
  readonly held: bigint | undefined;
  readonly epoch: number;
  /** Undefined without a lease or a live stream; then the answer is not kept. */
  readonly interest: Interest | undefined;
}

export interface LeaseAsked {
  readonly at: number;
  readonly held: bigint;
  readonly epoch: number;
  /**
   * Grows with each reset. Each life MUST use another id at the node, as after a restart: `held` may have gone back, and a late renewal of
   * the earlier life would vouch for more than is applied now.
   */
  readonly life: number;
}

export interface StreamOpening {
  readonly stream: number;
  /** The seq from which the stream continues; undefined for the first stream. */
  readonly after: bigint | undefined;
  readonly also: readonly RuleKey[] | '*';
}

/**
 * A guard's knowledge, without a clock, a network or a timer: the shell drives it, and so does the model that checks it. Every `now` comes
 * from one clock, which counts stopped time (`withStops` of `lease/clock.ts`), in milliseconds.
 *
 * Invariant: while `find` returns a token, every rule that somebody was told is in force has been applied to it (README).
 */
export interface GuardState {
  /** Finds the local answer; undefined means that the node must be asked. MUST be called in one synchronous step with reading the clock. */
  find(text: string, now: number): KeptToken | undefined;
  ask(now: number): Asked;
  /** Takes a node's answer. Returns true if it is kept; false if it is only for the call that asked. */
  answered(asked: Asked, text: string, judgement: Judgement, now: number): boolean;

  /** Begins a new stream; the previous one stays in force until the new one has started. */
  openStream(): StreamOpening;
  /** Notes that bytes arrived on a stream, whatever they were. */
  heard(stream: number, now: number): void;
  started(stream: number, seq: bigint, interest: Interest, now: number): void;
  /** Starts anew at `seq`, because the node cannot continue from where the guard was. `interest` is given if the stream states it anew. */
  reset(stream: number, seq: bigint, interest: Interest | undefined, now: number): void;
  ruled(stream: number, seq: bigint, selector: SelectorKey): void;
  /** Forgets every answer judged below this seq; with `all`, every answer. */
  forget(stream: number, seq: bigint, all: boolean): void;
  /** Notes that nothing up to this seq concerns the guard. */
  advanced(stream: number, seq: bigint): void;
  streamEnded(stream: number): void;

  /** Describes the lease to ask for. Undefined if a lease would be useless (stopped, no live stream) or nothing has been applied yet. */
  askLease(now: number): LeaseAsked | undefined;
  leaseGranted(asked: LeaseAsked, grantMs: number): void;
  /** Ends local answers for good, whatever grant arrives later. */
  stop(): void;

  /** Whether a token was met whose rules the stream may leave out. */
  readonly wantsMore: boolean;
  isLive(now: number): boolean;
  mayAnswer(now: number): boolean;
  readonly held: bigint | undefined;
  readonly counts: Readonly<StateCounts>;
  readonly tokens: number;
  readonly selectors: number;
}

export interface StateCounts {
  kept: number;
  forgotten: number;
  resets: number;
}

interface Stream {
  readonly id: number;
  readonly interest: Interest;
  heardAt: number;
}

export function createGuardState(limits: KeptLimits): GuardState {
  const kept = createKeptAnswers(limits);
  const also = new Set<RuleKey>();
  let held: bigint | undefined;
  let stream: Stream | undefined;
  /** Interest of the last stream. A stream continues from the last one's seq, so whatever that one covered stays covered. */
  let carried: Interest | undefined;
  let lastOpened = 0;
  let leaseUntil = Number.NEGATIVE_INFINITY;
  /** Grows with every event after which an answer or a grant still under way is worthless. */
  let epoch = 0;
  let life = 0;
  let resets = 0;
  let wantsMore = false;
  let isStopped = false;

  const isLive = (now: number): boolean => stream !== undefined && now - stream.heardAt < SILENCE_MS;
  const mayAnswer = (now: number): boolean => now < leaseUntil && isLive(now) && !isStopped;
  const isCurrent = (id: number): boolean => stream?.id === id;

  function advance(seq: bigint): void {
    if (held === undefined || seq > held) held = seq;
  }

  function startAnew(seq: bigint): void {
    life++;
    epoch++;
    resets++;
    kept.startAnew(seq);
    // A grant vouches for the seq that was applied when it was requested, and that seq may have gone back.
    leaseUntil = Number.NEGATIVE_INFINITY;
    held = seq;
  }

  function follow(id: number, interest: Interest, now: number): void {
    if (carried !== undefined && !includes(interest, carried)) {
      epoch++;
      kept.forgetOutside(interest);
    }
    carried = interest;
    stream = { id, interest, heardAt: now };
  }

  return {
    find: (text, now) => (mayAnswer(now) ? kept.find(text, held!, now) : undefined),

    ask: (now) => ({ at: now, held, epoch, interest: mayAnswer(now) ? stream!.interest : undefined }),

    answered(asked, text, { answer, keep }, now) {
      if (keep === undefined || asked.interest === undefined || asked.epoch !== epoch) return false;
      const { seq, sets } = keep;
      // Noted even if the answer is not kept below, because no further question about this token may come.
      if (stream !== undefined) for (const key of missing(stream.interest, sets)) want(key);
      const until = asked.at + Math.min(keep.keepMs, MAX_KEEP_MS);
      if (now >= until || text.length > MAX_KEPT_LENGTH) return false;
      // A stream that carries less than that one would have raised the epoch.
      if (seq < asked.held! || !covers(asked.interest, sets)) return false;
      return kept.keep(text, { answer, sets, seen: seq, until });
    },

    openStream() {
      wantsMore = false;
      lastOpened++;
      return { stream: lastOpened, after: held, also: also.size > MAX_ALSO ? '*' : [...also] };
    },
    heard(id, now) {
      if (isCurrent(id)) stream!.heardAt = now;
    },
    started(id, seq, interest, now) {
      if (stream !== undefined && id < stream.id) return;
      if (held === undefined) held = seq;
      else if (seq > held) {
        // The records in between were never received.
        startAnew(seq);
      }
      follow(id, interest, now);
    },
    reset(id, seq, interest, now) {
      if (stream !== undefined && id < stream.id) return;
      startAnew(seq);
      follow(id, interest ?? (isCurrent(id) ? stream!.interest : new Set()), now);
    },
    ruled(id, seq, selector) {
      if (!isCurrent(id)) return;
      kept.ruled(selector, seq);
      advance(seq);
    },
    forget(id, seq, all) {
      if (!isCurrent(id)) return;
      if (all) {
        epoch++;
        kept.forgetAll();
      } else kept.forgetBelow(seq);
      advance(seq);
    },
    advanced(id, seq) {
      if (isCurrent(id)) advance(seq);
    },
    streamEnded(id) {
      if (isCurrent(id)) stream = undefined;
    },

    askLease(now) {
      if (isStopped || held === undefined || !isLive(now)) return undefined;
      return { at: now, held, epoch, life };
    },
    leaseGranted(asked, grantMs) {
      if (isStopped || asked.epoch !== epoch) return;
      const until = asked.at + LEASE_FRACTION * grantMs;
      if (until > leaseUntil) leaseUntil = until;
    },
    stop() {
      isStopped = true;
      leaseUntil = Number.NEGATIVE_INFINITY;
      kept.clear();
    },

    get wantsMore() {
      return wantsMore;
    },
    isLive,
    mayAnswer,
    get held() {
      return held;
    },
    get counts() {
      return { ...kept.counts, resets };
    },
    get tokens() {
      return kept.tokens;
    },
    get selectors() {
      return kept.selectors;
    },
  };

  function want(key: RuleKey): void {
    if (also.size > MAX_ALSO || also.has(key)) return;
    also.add(key);
    wantsMore = true;
  }
}
