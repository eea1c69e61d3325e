import { keyedHash } from '../contracts/index.js';

/** The dimensions that a rule can select by (design, section 4). Their order is part of a selector key: never reorder, only append. */
export const DIMENSIONS = [
  'token',
  'id_jag',
  'session',
  'user',
  'client',
  'agent',
  'agent_type',
  'resource',
  'issuer',
] as const;

export type Dimension = (typeof DIMENSIONS)[number];

/** Dimensions whose values recur from token to token, even for different users. */
export const COMMON_DIMENSIONS: ReadonlySet<Dimension> = new Set<Dimension>([
  'client',
  'agent',
  'agent_type',
  'resource',
  'issuer',
]);

/** A namespaced value (wire.md): an issuer first, unless the value is a digest, a resource or a bare type. */
export type Parts = readonly (string | null)[];

/** First 16 bytes of an HMAC, held as a latin1 string of 16 characters: the smallest map key that JavaScript has. */
export type RuleKey = string & { readonly __brand: 'RuleKey' };

export const KEY_BYTES = 16;

/**
 * Computes HMAC-SHA-256(tenant key, dimension ‖ 0x00 ‖ RFC 8785 array of the parts), first 16 bytes (wire.md). For an array of
 * well-formed strings and nulls, `JSON.stringify` returns its RFC 8785 form (RFC 8785, section 3.2.2.2). The bytes of the tenant
 * key MUST NOT change while they are in use: values derived from them are cached by the array object.
 */
export function ruleKey(tenantKey: Uint8Array, dimension: string, parts: Parts): RuleKey {
  return keyedHash(tenantKey, `${dimension}\0${JSON.stringify(parts)}`, KEY_BYTES) as RuleKey;
}

export const ruleKeyFromBytes = (bytes: Uint8Array): RuleKey =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1') as RuleKey;

export const ruleKeyToBytes = (key: RuleKey): Buffer => Buffer.from(key, 'latin1');
