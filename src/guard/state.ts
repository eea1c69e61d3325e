import { createSelectorWatch, type RuleKey, type SelectorKey } from '../rules/index.js';
import type { ActiveAnswer } from './answer.js';
import { covers, includes, MAX_ALSO, missing, type Interest, type KeySets } from './node/interest.js';
import { createTokenCache, type KeptToken } from './token-cache.js';

/** f of the lease protocol: the part of a grant that is used, so that it holds between clocks that run a quarter apart. */
export const GRANT_FRACTION = 0.75;
/** A stream that says nothing for so long is broken; the node sends a comment every 5 s. */
export const SILENCE_MS = 12_000;
/** Longest that an answer is kept, whatever the node allows. */
export const MAX_KEEP_MS = 600_000;
/** Characters of a token's text; a longer one is asked about on every call. */
export const MAX_KEPT_LENGTH = 4_096;

export interface StateLimits {
  readonly maxTokens: number;
  readonly maxSelectors?: number;
}

/** What the node said of a token that is active. */
export interface Judgement {
  readonly answer: ActiveAnswer;
  /** Undefined: it stands for this call alone. */
  readonly keep: { readonly seq: bigint; readonly keepMs: number; readonly sets: KeySets } | undefined;
}

/** What a guard knew when it sent a question, so that a late answer cannot bring back what has gone since. */
export interface Asked {
  readonly at: number;
  readonly held: bigint | undefined;
  readonly epoch: number;
  /** Undefined: no lease or no live stream, so nothing is kept. */
  readonly interest: Interest | undefined;
}

export interface LeaseAsked {
  readonly at: number;
  readonly held: bigint;
  readonly epoch: number;
  /**
   * Another one after each reset, and MUST have another id at the node, as after a restart: what was held may have gone
   * back, and a renewal from before that arrives late would vouch for more than what is held now.
   */
  readonly life: number;
}

export interface StreamOpening {
  readonly stream: number;
  /** Undefined at first: there is nothing to go on from. */
  readonly after: bigint | undefined;
  readonly also: readonly RuleKey[] | '*';
}

/**
 * What a guard knows, without a clock, a network or a timer: the shell drives it, and so does the model that checks it.
 * Every `now` is one clock's, which counts stopped time (`guard-clock.ts`).
 *
 * Invariant: while `find` returns a token, every rule that somebody was told is in force has been applied to it (README).
 */
export interface GuardState {
  /** The local answer, or undefined: ask. In one synchronous step with the reading of the clock. */
  find(text: string, now: number): KeptToken | undefined;
  ask(now: number): Asked;
  /** True when it is kept. False: it stands for the call that asked. */
  answered(asked: Asked, text: string, judgement: Judgement, now: number): boolean;

  /** A new stream; the one before stays in force until this one has started. */
  openStream(): StreamOpening;
  /** Bytes came, of whatever kind. */
  heard(stream: number, now: number): void;
  started(stream: number, seq: bigint, interest: Interest, now: number): void;
  /** The node cannot go on from where the guard was. `interest`: where the stream says it anew. */
  reset(stream: number, seq: bigint, interest: Interest | undefined, now: number): void;
  ruled(stream: number, seq: bigint, selector: SelectorKey): void;
  /** Everything judged below this seq must be asked about again; with `all`, everything. */
  forget(stream: number, seq: bigint, all: boolean): void;
  /** Nothing that concerns this guard, up to here. */
  advanced(stream: number, seq: bigint): void;
  streamEnded(stream: number): void;

  /** Undefined: a lease would be of no use, or would vouch for what is not applied. */
  askLease(now: number): LeaseAsked | undefined;
  leaseGranted(asked: LeaseAsked, grantMs: number): void;
  /** From now on nothing is answered locally, whatever grant is heard of later. */
  stop(): void;

  /** A token was met whose rules the stream may leave out. */
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
  /** What the last stream carried: it goes on from there, so what it covered stays covered. */
  let carried: Interest | undefined;
  let lastOpened = 0;
  let leaseUntil = Number.NEGATIVE_INFINITY;
  /** Grows with everything after which an answer or a grant that is under way says nothing any more. */
  let epoch = 0;
  let life = 0;
  /** Answers decided below it are not kept. */
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
    // A grant vouches for what was held when it was asked for, and held may have gone back.
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
      // Also where it is not kept below: the next question about this token can be the last.
      if (stream !== undefined) for (const key of missing(stream.interest, sets)) want(key);
      const until = asked.at + Math.min(keep.keepMs, MAX_KEEP_MS);
      if (now >= until || text.length > MAX_KEPT_LENGTH) return false;
      if (seq < asked.held! || seq < judgedAnewFrom) return false;
      // A stream that carries less than that one did would have raised the epoch.
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
        // What lies between was never heard.
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
      // A selector of a later version names dimensions that are not known here: then it may name anything.
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
      const until = asked.at + GRANT_FRACTION * grantMs;
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
