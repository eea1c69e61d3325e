import { LEASE_FRACTION } from '../lease/index.js';
import { createSelectorWatch, type RuleKey, type SelectorKey } from '../rules/index.js';
import type { ActiveAnswer } from './answer.js';
import { covers, includes, MAX_ALSO, missing, type Interest, type KeySets } from './node/interest.js';
import { createTokenCache, type KeptToken } from './token-cache.js';

/** Milliseconds of silence after which a stream counts as broken; the node sends a comment every 5 s. */
export const SILENCE_MS = 12_000;
/** Milliseconds that an answer is kept at most, whatever the node allows. */
export const MAX_KEEP_MS = 600_000;
/** Characters of a token's text; a longer token is asked about on every call. */
export const MAX_KEPT_LENGTH = 4_096;

export interface StateLimits {
  readonly maxTokens: number;
  readonly maxSelectors?: number;
}

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

export function createGuardState({ maxTokens, maxSelectors }: StateLimits): GuardState {
  const tokens = createTokenCache(maxTokens);
  const watch = createSelectorWatch(maxSelectors);
  const also = new Set<RuleKey>();
  const counts: StateCounts = { kept: 0, forgotten: 0, resets: 0 };
  let held: bigint | undefined;
  let stream: Stream | undefined;
  /** Interest of the last stream. A stream continues from the last one's seq, so whatever that one covered stays covered. */
  let carried: Interest | undefined;
  let lastOpened = 0;
  let leaseUntil = Number.NEGATIVE_INFINITY;
  /** Grows with every event after which an answer or a grant still under way is worthless. */
  let epoch = 0;
  let life = 0;
  /** Answers decided below this seq are not kept. */
  let judgedAnewFrom = 0n;
  let wantsMore = false;
  let isStopped = false;

  const isLive = (now: number): boolean => stream !== undefined && now - stream.heardAt < SILENCE_MS;
  const mayAnswer = (now: number): boolean => now < leaseUntil && isLive(now) && !isStopped;
  const isCurrent = (id: number): boolean => stream?.id === id;

  function advance(seq: bigint): void {
    if (held === undefined || seq > held) held = seq;
  }

  function forgetBelow(seq: bigint): void {
    if (seq > judgedAnewFrom) judgedAnewFrom = seq;
    counts.forgotten += tokens.forgetWhere(({ seen }) => seen < seq);
  }

  function forgetAll(): void {
    epoch++;
    counts.forgotten += tokens.size;
    tokens.clear();
  }

  function startAnew(seq: bigint): void {
    life++;
    forgetAll();
    watch.clear(seq);
    // A grant vouches for the seq that was applied when it was requested, and that seq may have gone back.
    leaseUntil = Number.NEGATIVE_INFINITY;
    judgedAnewFrom = 0n;
    held = seq;
  }

  function follow(id: number, interest: Interest, now: number): void {
    if (carried !== undefined && !includes(interest, carried)) {
      epoch++;
      counts.forgotten += tokens.forgetWhere(({ sets }) => !covers(interest, sets));
    }
    carried = interest;
    stream = { id, interest, heardAt: now };
  }

  return {
    find(text, now) {
      const token = tokens.find(text);
      if (token === undefined || !mayAnswer(now)) return undefined;
      if (now >= token.until) {
        tokens.forget(text);
        return undefined;
      }
      if (token.checked !== held) {
        if (watch.namesAfter(token.sets, token.checked)) {
          tokens.forget(text);
          counts.forgotten++;
          return undefined;
        }
        if (held! > token.checked) token.checked = held!;
      }
      token.used = true;
      return token;
    },

    ask: (now) => ({ at: now, held, epoch, interest: mayAnswer(now) ? stream!.interest : undefined }),

    answered(asked, text, { answer, keep }, now) {
      if (keep === undefined || asked.interest === undefined || asked.epoch !== epoch) return false;
      const { seq, sets } = keep;
      // Noted even if the answer is not kept below, because no further question about this token may come.
      if (stream !== undefined) for (const key of missing(stream.interest, sets)) want(key);
      const until = asked.at + Math.min(keep.keepMs, MAX_KEEP_MS);
      if (now >= until || text.length > MAX_KEPT_LENGTH) return false;
      if (seq < asked.held! || seq < judgedAnewFrom) return false;
      // A stream that carries less than that one would have raised the epoch.
      if (!covers(asked.interest, sets)) return false;
      const known = tokens.find(text);
      if (known !== undefined && known.seen > seq) return false;
      tokens.keep(text, { answer, sets, seen: seq, checked: seq, until, used: false });
      counts.kept++;
      return true;
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
        counts.resets++;
        startAnew(seq);
      }
      follow(id, interest, now);
    },
    reset(id, seq, interest, now) {
      if (stream !== undefined && id < stream.id) return;
      counts.resets++;
      startAnew(seq);
      follow(id, interest ?? (isCurrent(id) ? stream!.interest : new Set()), now);
    },
    ruled(id, seq, selector) {
      if (!isCurrent(id)) return;
      // A selector of a later version names dimensions that are unknown here, so it may select anything.
      if (!watch.add(selector, seq)) forgetBelow(seq);
      advance(seq);
    },
    forget(id, seq, all) {
      if (!isCurrent(id)) return;
      if (all) forgetAll();
      else forgetBelow(seq);
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
      tokens.clear();
    },

    get wantsMore() {
      return wantsMore;
    },
    isLive,
    mayAnswer,
    get held() {
      return held;
    },
    counts,
    get tokens() {
      return tokens.size;
    },
    get selectors() {
      return watch.size;
    },
  };

  function want(key: RuleKey): void {
    if (also.size > MAX_ALSO || also.has(key)) return;
    also.add(key);
    wantsMore = true;
  }
}
