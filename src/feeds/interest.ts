import type { Caller, Tenant } from '../control/index.js';
import { ruleKey } from '../rules/index.js';
import { toBase64url } from './effects.js';

/** Resource keys that a guard may name beyond its role's. One that knows more asks for `*`. */
export const MAX_ALSO = 256;

/** 128 bits in base64url; the last character carries two of them. */
export const ID_128 = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/** Resource keys as base64url, or every rule of the tenant. */
export type Interest = ReadonlySet<string> | '*';

type GuardRole = NonNullable<Caller['roles']['guard']>;

/** A role is a new object with every change of its caller, whose tenant's key stays: a first sight must not hash every bound again. */
const computed = new WeakMap<GuardRole, ReadonlySet<string>>();

/** What tokens of this role may be presented at: its resources, and its issuers for what is presented at a RAS. */
export function ownInterest(tenant: Tenant, role: GuardRole): ReadonlySet<string> {
  let keys = computed.get(role);
  if (!keys) {
    keys = new Set([...role.resources, ...role.issuers].map((value) => toBase64url(ruleKey(tenant.key, 'resource', [value]))));
    computed.set(role, keys);
  }
  return keys;
}

/** `also` of the request. Undefined: malformed, or over its bound. */
export function parseAlso(text: string | undefined): Interest | undefined {
  if (text === '*') return '*';
  if (text === undefined || text === '') return new Set();
  const keys = text.split(',');
  return keys.length <= MAX_ALSO && keys.every((key) => ID_128.test(key)) ? new Set(keys) : undefined;
}

/** Whether a rule with this resource must be told. */
export const isConcerned = (interest: Interest, resource: string | undefined): boolean => resource === undefined || interest === '*' || interest.has(resource);

/** A position in the control log as it stands on the wire; undefined for anything else. */
export const parseSeq = (text: unknown): bigint | undefined =>
  typeof text === 'string' && /^(?:0|[1-9]\d{0,18})$/.test(text) && BigInt(text) <= MAX_SEQ ? BigInt(text) : undefined;

/** PostgreSQL's `bigint`. */
const MAX_SEQ = 2n ** 63n - 1n;
