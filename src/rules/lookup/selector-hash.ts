import { keyWord, KEY_WORDS } from './key-pool.js';
import type { SelectorKey } from '../selector.js';

const PRIME = 0x01000193;

/** Returns the hash of a shape, before its members are added. */
export const hashShape = (shape: number): number => Math.imul(shape, PRIME);

/** Adds one member to a hash, by the first word of its key. Keys are digests, so one word spreads as well as four. */
export const hashMember = (hash: number, firstWord: number): number => Math.imul(hash ^ firstWord, PRIME);

export function selectorHash({ shape, key }: SelectorKey): number {
  let hash = hashShape(shape);
  for (let nth = 0; nth * 4 < key.length; nth += KEY_WORDS) hash = hashMember(hash, keyWord(key, nth));
  return hash >>> 0;
}
