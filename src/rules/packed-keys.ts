import { DIMENSION_TABLE, DIMENSIONS, KEY_BYTES, type RuleKey } from './dimension.js';

/**
 * Keys of one token in one string, for callers that hold many tokens. One character for each dimension gives its number of keys;
 * the keys follow, dimension by dimension. Nine arrays of strings would take three times the memory.
 */
export type PackedKeys = string & { readonly __brand: 'PackedKeys' };

/** All keys of a token in two strings. Many tokens have an equal `common`: hold it once for all of them. */
export interface PackedSets {
  readonly own: PackedKeys;
  readonly common: PackedKeys;
}

export type KeySetsByDimension = readonly (readonly RuleKey[])[];

/** Position of the first key. */
export const PACKED_KEYS_AT = DIMENSIONS.length;

export const packKeys = (sets: KeySetsByDimension): PackedSets => ({
  own: pack(sets.map((set, position) => (isCommon(position) ? NONE : set))),
  common: pack(sets.map((set, position) => (isCommon(position) ? set : NONE))),
});

/** Unpacks the keys, by position in `DIMENSIONS`. */
export function unpackKeys({ own, common }: PackedSets): KeySetsByDimension {
  const [owned, shared] = [unpack(own), unpack(common)];
  return DIMENSIONS.map((_, position) => (isCommon(position) ? shared : owned)[position]!);
}

const NONE: readonly RuleKey[] = [];

const isCommon = (position: number): boolean => DIMENSION_TABLE[DIMENSIONS[position]!].recurs;

function pack(sets: KeySetsByDimension): PackedKeys {
  let text = '';
  for (const set of sets) text += String.fromCharCode(set.length);
  for (const set of sets) for (const key of set) text += key;
  // Copied through a buffer: a concatenated string would keep its parts in memory.
  return Buffer.from(text, 'latin1').toString('latin1') as PackedKeys;
}

function unpack(packed: PackedKeys): KeySetsByDimension {
  const bytes = Buffer.from(packed, 'latin1');
  let at = PACKED_KEYS_AT;
  return DIMENSIONS.map((_, position) =>
    Array.from({ length: bytes[position]! }, () => bytes.toString('latin1', at, (at += KEY_BYTES)) as RuleKey),
  );
}
