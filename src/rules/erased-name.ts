import { keyedHash } from '../contracts/index.js';
import type { Parts, RuleKey } from './dimension.js';

/** Begins the name that stands for a person whose name was erased. No name is taken for one unless its tag verifies. */
export const ERASED_PREFIX = 'erased person ';
/** Bytes of a rule key, and of a tag. */
const KEY_BYTES = 16;
const SEGMENT_BYTES = 2 * KEY_BYTES;
/** Characters of the key that people are shown. */
const SHOWN = 8;

/**
 * Makes the name that stands for erased names of one user, one for each issuer that used it: their rule keys, each with a tag under the tenant key. So
 * everything that is computed from the name keeps its value (`ruleKey`), and nobody but Rescind can make such a name.
 */
export function erasedName(tenantKey: Uint8Array, names: readonly Parts[]): string {
  const segments = names.map((parts) => {
    const key = userKey(tenantKey, parts);
    return key + tagOf(tenantKey, parts, key);
  });
  return nameOf(segments.join(''));
}

/** Returns the rule key of a user's erased name; undefined for any other name. */
export function erasedKey(tenantKey: Uint8Array, parts: Parts): RuleKey | undefined {
  const name = parts.at(-1);
  if (typeof name !== 'string' || !name.startsWith(ERASED_PREFIX)) return undefined;
  const segments = Buffer.from(name.slice(ERASED_PREFIX.length), 'base64url').toString('latin1');
  for (let at = 0; at + SEGMENT_BYTES <= segments.length; at += SEGMENT_BYTES) {
    const key = segments.slice(at, at + KEY_BYTES) as RuleKey;
    if (tagOf(tenantKey, parts, key) === segments.slice(at + KEY_BYTES, at + SEGMENT_BYTES)) return key;
  }
  return undefined;
}

/** Returns the parts of a user's name as `entity` holds them: an erased name of several issuers is cut down to that of this issuer. */
export function plainUser(tenantKey: Uint8Array, parts: Parts): Parts {
  const key = erasedKey(tenantKey, parts);
  return key === undefined ? parts : [...parts.slice(0, -1), nameOf(key + tagOf(tenantKey, parts, key))];
}

/** Shortens an erased name for people; undefined for any other name. */
export const shownErased = (name: string | null | undefined): string | undefined =>
  name?.startsWith(ERASED_PREFIX) === true ? name.slice(0, ERASED_PREFIX.length + SHOWN) : undefined;

/** Computes the rule key of a user's name as it is, even if the name looks like an erased one. */
export const userKey = (tenantKey: Uint8Array, parts: Parts): RuleKey =>
  keyedHash(tenantKey, `user\0${JSON.stringify(parts)}`, KEY_BYTES) as RuleKey;

const nameOf = (segments: string): string => ERASED_PREFIX + Buffer.from(segments, 'latin1').toString('base64url');

/** Binds a key to the issuer and the tenant claim of the name that it was made of. */
const tagOf = (tenantKey: Uint8Array, parts: Parts, key: RuleKey): string => {
  const bound = JSON.stringify([...parts.slice(0, -1), Buffer.from(key, 'latin1').toString('hex')]);
  return keyedHash(tenantKey, `erased\0${bound}`, KEY_BYTES);
};
