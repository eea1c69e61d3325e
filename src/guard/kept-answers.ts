import { createSelectorWatch, type SelectorKey } from '../rules/index.js';
import type { ActiveAnswer } from './answer.js';
import { covers, type Interest, type KeySets } from './node/interest.js';
import { createTokenCache, type KeptToken } from './token-cache.js';

/** Milliseconds that an answer is kept at most, whatever the node allows. */
export const MAX_KEEP_MS = 600_000;
/** Characters of a token's text; a longer token is asked about on every call. */
export const MAX_KEPT_LENGTH = 4_096;

export interface KeptLimits {
  readonly maxTokens: number;
  readonly maxSelectors?: number;
}

export interface NewAnswer {
  readonly answer: ActiveAnswer;
  readonly sets: KeySets;
  /** The node decided with every control record up to this seq. */
  readonly seen: bigint;
  readonly until: number;
}

/** A guard's answers, with the selectors that may end them. It knows nothing of leases and streams. */
export interface KeptAnswers {
  /** Finds an answer that still counts when every record up to `held` is applied. */
  find(text: string, held: bigint, now: number): KeptToken | undefined;
  /** Keeps an answer, unless it was judged before one that is kept, or below a seq that was to be forgotten. */
  keep(text: string, answer: NewAnswer): boolean;
  /** Takes a selector; each answer is searched for it when it is found next. */
  ruled(selector: SelectorKey, seq: bigint): void;
  /** Forgets every answer judged below this seq, now and later. */
  forgetBelow(seq: bigint): void;
  /** Forgets the answers that the interest does not cover. */
  forgetOutside(interest: Interest): void;
  forgetAll(): void;
  /** Empties the memory at the end; counts nothing. */
  clear(): void;
  /** Forgets everything: records up to `seq` may be others than before. */
  startAnew(seq: bigint): void;
  readonly counts: { kept: number; forgotten: number };
  readonly tokens: number;
  readonly selectors: number;
}

export function createKeptAnswers({ maxTokens, maxSelectors }: KeptLimits): KeptAnswers {
  const tokens = createTokenCache(maxTokens);
  const watch = createSelectorWatch(maxSelectors);
  const counts = { kept: 0, forgotten: 0 };
  /** Answers decided below this seq are not kept. */
  let judgedAnewFrom = 0n;

  function forgetBelow(seq: bigint): void {
    if (seq > judgedAnewFrom) judgedAnewFrom = seq;
    counts.forgotten += tokens.forgetWhere(({ seen }) => seen < seq);
  }

  function forgetAll(): void {
    counts.forgotten += tokens.size;
    tokens.clear();
  }

  return {
    find(text, held, now) {
      const token = tokens.find(text);
      if (token === undefined) return undefined;
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
        if (held > token.checked) token.checked = held;
      }
      token.used = true;
      return token;
    },
    keep(text, answer) {
      if (answer.seen < judgedAnewFrom) return false;
      const known = tokens.find(text);
      if (known !== undefined && known.seen > answer.seen) return false;
      tokens.keep(text, { ...answer, checked: answer.seen, used: false });
      counts.kept++;
      return true;
    },
    ruled(selector, seq) {
      // A selector of a later version names dimensions that are unknown here, so it may select anything.
      if (!watch.add(selector, seq)) forgetBelow(seq);
    },
    forgetBelow,
    forgetOutside(interest) {
      counts.forgotten += tokens.forgetWhere(({ sets }) => !covers(interest, sets));
    },
    forgetAll,
    clear: tokens.clear,
    startAnew(seq) {
      forgetAll();
      watch.clear(seq);
      judgedAnewFrom = 0n;
    },
    counts,
    get tokens() {
      return tokens.size;
    },
    get selectors() {
      return watch.size;
    },
  };
}
