import type { Moment } from '../as-of.js';

const BLOCK_BITS = 16n;
const ALL_BLOCKS = 2 ** 31 - 1;

/**
 * How far aggregates are read, and from where on rows, as of a moment: `$2` blocks below this one, `$3` rows from this index on, `$4` to this
 * one. Of the present the aggregates hold all, the open block included.
 */
export function partsOf({ index, present }: Moment & { readonly present: boolean }): readonly [below: number, from: string, to: string] {
  if (present) return [ALL_BLOCKS, String(index), String(index)];
  const block = index >> BLOCK_BITS;
  return [Number(block), String(block << BLOCK_BITS), String(index)];
}
