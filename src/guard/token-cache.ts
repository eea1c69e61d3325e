import type { ActiveAnswer } from './answer.js';
import type { KeySets } from './node/interest.js';

export interface KeptToken {
  readonly answer: ActiveAnswer;
  readonly sets: KeySets;
  /** The node decided with every control record up to this seq. */
  readonly seen: bigint;
  /** No selector above `seen` and up to this seq selects the token. */
  checked: bigint;
  /** When the answer ends, in milliseconds of the guard's clock. */
  readonly until: number;
  /** Whether the token was asked for since it was last passed over. */
  used: boolean;
}

/** Kept tokens by their text, in memory alone, up to a limit. Tokens that are not asked for go first. */
export interface TokenCache {
  find(text: string): KeptToken | undefined;
  keep(text: string, token: KeptToken): void;
  forget(text: string): void;
  /** Removes the tokens for which `goes` returns true; returns how many. */
  forgetWhere(goes: (token: KeptToken) => boolean): number;
  clear(): void;
  readonly size: number;
}

/**
 * Creates the cache: first in, first out, with a second chance for tokens that were asked for meanwhile. A hit then costs one look-up and
 * one flag; a list by last use would move its entry at every call.
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
