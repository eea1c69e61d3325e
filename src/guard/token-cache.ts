import type { ActiveAnswer } from './answer.js';
import type { KeySets } from './node/interest.js';

export interface KeptToken {
  readonly answer: ActiveAnswer;
  readonly sets: KeySets;
  /** The node decided with everything up to here. */
  readonly seen: bigint;
  /** No selector above `seen` and up to here names it. */
  checked: bigint;
  /** By the guard's clock. */
  readonly until: number;
  /** Since it was last passed over. */
  used: boolean;
}

/** Tokens by their text, in memory alone, at most so many. What is not asked for goes first. */
export interface TokenCache {
  find(text: string): KeptToken | undefined;
  keep(text: string, token: KeptToken): void;
  forget(text: string): void;
  /** Returns how many went. */
  forgetWhere(goes: (token: KeptToken) => boolean): number;
  clear(): void;
  readonly size: number;
}

/**
 * First in, first out, with a second chance for what was asked for meanwhile: a hit then costs one look-up and one flag,
 * where a list by last use would move its entry at every call.
 */
export function createTokenCache(maxTokens: number): TokenCache {
  const tokens = new Map<string, KeptToken>();

  function makeRoom(): void {
    for (const [text, token] of tokens) {
      if (tokens.size < maxTokens) return;
      tokens.delete(text);
      if (!token.used) continue;
      token.used = false;
      tokens.set(text, token);
    }
  }

  return {
    find: (text) => tokens.get(text),
    keep(text, token) {
      tokens.delete(text);
      makeRoom();
      tokens.set(text, token);
    },
    forget: (text) => void tokens.delete(text),
    forgetWhere(goes) {
      const before = tokens.size;
      for (const [text, token] of tokens) if (goes(token)) tokens.delete(text);
      return before - tokens.size;
    },
    clear: () => tokens.clear(),
    get size() {
      return tokens.size;
    },
  };
}
