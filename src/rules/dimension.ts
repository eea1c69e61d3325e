import { keyedHash } from '../contracts/index.js';
import { erasedKey } from './erased-name.js';

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

/** The kind of facts that state a value: a token's, or an ID-JAG's. */
export type Speaker = 'token' | 'id_jag';

/**
 * A part of a name, as the path of a member of the facts. `aud*` stands for each element of a list, first in its name, and `tenant?` for a member that may be
 * absent and is null then. Any other absent member means that the name is not stated.
 */
export type PartPath = string;

/** A place where facts state a value of a dimension. */
export interface Statement {
  readonly of: Speaker;
  readonly parts: readonly PartPath[];
}

interface DimensionRow {
  /** The places where facts state values. Identities of tokens are not here: `tokenKeys` reads them with `tokenRef`. */
  readonly stated: readonly Statement[];
  /** Column of `token` with small ids of values that the facts state. */
  readonly column?: 'usr' | 'client' | 'agent' | 'res';
  /** Whether values recur from token to token, even for different users. */
  readonly recurs: boolean;
}

const token = (...parts: readonly PartPath[]): Statement => ({ of: 'token', parts });
const idJag = (...parts: readonly PartPath[]): Statement => ({ of: 'id_jag', parts });

/**
 * The one table of dimensions. `tokenKeys` reads it to compute keys, and `selection` to build SQL that says the same of recorded facts.
 *
 * `aud` of an ID-JAG are the RASs that it is addressed to, and `client_id` and `aud_sub` are names at these. An ID-JAG that a token states
 * counts as addressed to the token's issuer, since a RAS accepts no other (ID-JAG draft, section 4.4.1).
 */
export const DIMENSION_TABLE: Readonly<Record<Dimension, DimensionRow>> = {
  token: { stated: [], recurs: false },
  id_jag: { stated: [idJag('iss', 'jti'), idJag('sha256')], recurs: false },
  session: { stated: [token('iss', 'sid'), idJag('iss', 'sid')], recurs: false },
  user: {
    stated: [token('iss', 'tenant?', 'sub'), idJag('iss', 'tenant?', 'sub'), idJag('aud*', 'aud_tenant?', 'aud_sub')],
    column: 'usr',
    recurs: false,
  },
  client: {
    stated: [token('iss', 'client_id'), idJag('iss', 'idp_client_id'), idJag('aud*', 'client_id')],
    column: 'client',
    recurs: true,
  },
  agent: {
    // An agent's id belongs to the IdP, even if only the RAS states it (wire.md).
    stated: [token('iss', 'agent.id'), token('id_jag.iss', 'agent.id'), idJag('iss', 'agent.id')],
    column: 'agent',
    recurs: true,
  },
  agent_type: { stated: [token('agent.type'), idJag('agent.type')], recurs: true },
  resource: {
    stated: [token('aud*'), token('resource*'), idJag('resource*'), idJag('aud*')],
    column: 'res',
    recurs: true,
  },
  issuer: { stated: [token('iss'), idJag('iss')], recurs: true },
};

/** A part's path in pieces. */
export interface ParsedPart {
  readonly path: readonly string[];
  readonly each: boolean;
  readonly optional: boolean;
}

export function parsePart(part: PartPath): ParsedPart {
  const [, path, mark] = /^(.*?)([*?]?)$/.exec(part)!;
  return { path: path!.split('.'), each: mark === '*', optional: mark === '?' };
}

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
  // An erased name states the key of the name that it stands for.
  const erased = dimension === 'user' ? erasedKey(tenantKey, parts) : undefined;
  return erased ?? (keyedHash(tenantKey, `${dimension}\0${JSON.stringify(parts)}`, KEY_BYTES) as RuleKey);
}

export const ruleKeyFromBytes = (bytes: Uint8Array): RuleKey =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1') as RuleKey;

export const ruleKeyToBytes = (key: RuleKey): Buffer => Buffer.from(key, 'latin1');
