import type { Caller, Tenant } from '../control/index.js';
import { ruleKey } from '../rules/index.js';
import { toBase64url } from './effects.js';

/** Resource keys that a guard may name beyond its role's. A guard with more asks for `*`. */
export const MAX_ALSO = 256;

/** 128 bits in base64url; the last character carries two of them. */
export const ID_128 = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/** Resource keys as base64url, or `*` for every rule of the tenant. */
export type Interest = ReadonlySet<string> | '*';

type GuardRole = NonNullable<Caller['roles']['guard']>;

/**
 * Cached by role, which is a new object after every change of its caller; the tenant's key never changes. Saves hashing every bound at
 * each request.
 */
const computed = new WeakMap<GuardRole, ReadonlySet<string>>();

/**
 * Returns the keys of places that tokens of this role may be presented at: its resources, and its issuers for tokens presented at a RAS.
 */
export function ownInterest(tenant: Tenant, role: GuardRole): ReadonlySet<string> {
  let keys = computed.get(role);
  if (!keys) {
    keys = new Set(
      [...role.resources, ...role.issuers].map((value) => toBase64url(ruleKey(tenant.key, 'resource', [value]))),
    );
    computed.set(role, keys);
  }
  return keys;
}

/** Parses `also` of the request. Undefined if it is malformed or over its bound. */
export function parseAlso(text: string | undefined): Interest | undefined {
  if (text === '*') return '*';
  if (text === undefined || text === '') return new Set();
  const keys = text.split(',');
  return keys.length <= MAX_ALSO && keys.every((key) => ID_128.test(key)) ? new Set(keys) : undefined;
}

/** Whether a guard with this interest must hear of a rule with this resource. */
export const isConcerned = (interest: Interest, resource: string | undefined): boolean =>
  resource === undefined || interest === '*' || interest.has(resource);

/** Parses a position in the control log from the wire. Undefined for anything else. */
export const parseSeq = (text: unknown): bigint | undefined =>
  typeof text === 'string' && /^(?:0|[1-9]\d{0,18})$/.test(text) && BigInt(text) <= MAX_SEQ ? BigInt(text) : undefined;

/** The largest value of PostgreSQL's `bigint`. */
const MAX_SEQ = 2n ** 63n - 1n;
