import { DIMENSIONS, KEY_BYTES, type RuleKey } from './dimension.js';

/**
 * The keys of one token in one string, for whoever holds many tokens: a character a dimension says how many keys it has, and
 * the keys follow, dimension by dimension. Nine arrays of strings take three times the memory.
 */
export type PackedKeys = string & { readonly __brand: 'PackedKeys' };

export type KeySetsByDimension = readonly (readonly RuleKey[])[];

/** Where the first key stands. */
export const PACKED_KEYS_AT = DIMENSIONS.length;

export function packKeys(sets: KeySetsByDimension): PackedKeys {
  let text = '';
  for (const set of sets) text += String.fromCharCode(set.length);
  for (const set of sets) for (const key of set) text += key;
  // By way of memory: strings that are put together keep their parts.
  return Buffer.from(text, 'latin1').toString('latin1') as PackedKeys;
}

/** By position in `DIMENSIONS`, each key a string of its own. */
export function unpackKeys(packed: PackedKeys): KeySetsByDimension {
  const bytes = Buffer.from(packed, 'latin1');
  let at = PACKED_KEYS_AT;
  return DIMENSIONS.map((_, position) =>
    Array.from({ length: bytes[position]! }, () => bytes.toString('latin1', at, (at += KEY_BYTES)) as RuleKey),
  );
}
