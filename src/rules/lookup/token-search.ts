import { DIMENSIONS, KEY_BYTES } from '../dimension.js';
import { PACKED_KEYS_AT } from '../packed-keys.js';
import { MAX_SELECTOR_MEMBERS } from '../../contracts/index.js';
import { MAX_VALUES_PER_DIMENSION, type PackedTokenKeys, type TokenKeys } from '../token-keys.js';
import { keyWord, KEY_WORDS } from './key-pool.js';
import type { RuleColumns } from './rule-columns.js';
import { hashMember, hashShape } from './selector-hash.js';
import type { Shape } from './shapes.js';
import type { Slots } from './slots.js';

export type AnyTokenKeys = TokenKeys | PackedTokenKeys;

/** Calls `take` with every slot whose selector the token has, until it returns true. */
export type TokenSearch = (token: AnyTokenKeys, take: (slot: number) => boolean) => void;

export interface TokenSearchOptions {
  readonly columns: RuleColumns;
  readonly slots: Slots;
}

export function createTokenSearch({ columns, slots }: TokenSearchOptions): TokenSearch {
  const { bySelector, shapes } = slots;
  // State of the running search, kept here so that a search allocates nothing. By dimension and number, each key of the token: the
  // text that holds it, where it starts there, and its first word; then the number of keys a dimension, and the members picked.
  const texts: string[] = Array.from({ length: DIMENSIONS.length * MAX_VALUES_PER_DIMENSION }, () => '');
  const starts = new Uint32Array(texts.length);
  const firstWords = new Uint32Array(texts.length);
  const counts = new Uint8Array(DIMENSIONS.length);
  const picked = new Uint8Array(MAX_SELECTOR_MEMBERS);
  let used = 0;

  function placePacked(packed: string): void {
    let start = PACKED_KEYS_AT;
    for (let position = 0; position < DIMENSIONS.length; position++) {
      for (let left = packed.charCodeAt(position); left > 0; left--) {
        place(position, packed, start);
        start += KEY_BYTES;
      }
    }
  }

  function placeSets(sets: TokenKeys['sets']): void {
    for (let position = 0; position < sets.length; position++)
      for (const key of sets[position]!) place(position, key, 0);
  }

  function place(position: number, text: string, start: number): void {
    const nth = counts[position]!++;
    if (nth === MAX_VALUES_PER_DIMENSION) throw new RangeError('a token with so many values is never active');
    if ((used & (1 << position)) === 0) return;
    const at = position * MAX_VALUES_PER_DIMENSION + nth;
    texts[at] = text;
    starts[at] = start;
    firstWords[at] = keyWord(text, 0, start);
  }

  /** Walks the product of the token's sets over the shape's dimensions: at most 8⁴ look-ups. */
  function searchShape(shape: Shape, depth: number, hash: number, take: (slot: number) => boolean): boolean {
    if (depth === shape.positions.length) return searchSelector(shape, hash >>> 0, take);
    const position = shape.positions[depth]!;
    const first = position * MAX_VALUES_PER_DIMENSION;
    for (let at = first; at < first + counts[position]!; at++) {
      picked[depth] = at;
      if (searchShape(shape, depth + 1, hashMember(hash, firstWords[at]!), take)) return true;
    }
    return false;
  }

  function searchSelector({ bits, positions }: Shape, hash: number, take: (slot: number) => boolean): boolean {
    for (let slot = bySelector.first(hash); slot >= 0; slot = bySelector.next(slot)) {
      if (columns.hash(slot) === hash && columns.shape(slot) === bits && isPicked(slot, positions.length) && take(slot))
        return true;
    }
    return false;
  }

  function isPicked(slot: number, members: number): boolean {
    for (let nth = 0; nth < members * KEY_WORDS; nth++) {
      const at = picked[nth >> 2]!;
      if (columns.keyWord(slot, nth) !== keyWord(texts[at]!, nth & 3, starts[at]!)) return false;
    }
    return true;
  }

  return (token, take) => {
    const { list } = shapes;
    if (list.length === 0) return;
    used = shapes.used;
    counts.fill(0);
    if ('sets' in token) {
      placeSets(token.sets);
    } else {
      placePacked(token.own);
      placePacked(token.common);
    }
    for (const shape of list) if (searchShape(shape, 0, hashShape(shape.bits), take)) return;
  };
}
