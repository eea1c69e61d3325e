import { keyWord, KEY_WORDS } from './key-pool.js';
import type { SelectorKey } from './selector.js';

const PRIME = 0x01000193;

/** Of a shape before its first member. */
export const hashShape = (shape: number): number => Math.imul(shape, PRIME);

/** With one member more, by the first word of its key: keys are digests, so one word spreads as well as four. */
export const hashMember = (hash: number, firstWord: number): number => Math.imul(hash ^ firstWord, PRIME);

export function selectorHash({ shape, key }: SelectorKey): number {
  let hash = hashShape(shape);
  for (let nth = 0; nth * 4 < key.length; nth += KEY_WORDS) hash = hashMember(hash, keyWord(key, nth));
  return hash >>> 0;
}
