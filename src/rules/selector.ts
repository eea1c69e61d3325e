import { implies, NO_NUL } from '../contracts/index.js';
import { DIMENSIONS, KEY_BYTES, ruleKey, type Dimension, type Parts, type RuleKey } from './dimension.js';

export const MAX_SELECTOR_MEMBERS = 4;
const MAX_IDENTIFIER_BYTES = 512;
const DIGEST = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

export type TokenRef =
  | { readonly iss: string; readonly jti: string }
  | { readonly sha256: string }
  | { readonly signing_input_sha256: string };

/** A conjunction, as it is sent to `POST /v1/revocations` (wire.md). */
export interface Selector {
  readonly token?: TokenRef;
  readonly id_jag?: { readonly iss: string; readonly jti: string } | { readonly sha256: string };
  readonly session?: { readonly iss: string; readonly sid: string };
  readonly user?: { readonly iss: string; readonly tenant?: string; readonly sub: string };
  readonly client?: { readonly iss: string; readonly client_id: string };
  readonly agent?: { readonly iss: string; readonly id: string };
  readonly agent_type?: string;
  readonly resource?: string;
  readonly issuer?: string;
  readonly all?: true;
}

/**
 * Further values of members that a selector names; a member matches if any of its values does. A connection has several resources
 * and its client several ids, and all their combinations belong to one rule.
 */
export interface OtherValues {
  readonly client?: readonly ClientName[];
  readonly resource?: readonly string[];
}

interface ClientName {
  readonly iss: string;
  readonly client_id: string;
}

/** The most selectors that one rule may have. A connection event has at most 72, a client event and `/revoke` about 100. */
export const MAX_SELECTORS_A_RULE = 128;

export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

type Member = readonly [name: string, need: 'required' | 'optional'];
const SHAPES: Readonly<
  Record<Exclude<Dimension, 'agent_type' | 'resource' | 'issuer'>, readonly (readonly Member[])[]>
> = {
  token: [
    [
      ['iss', 'required'],
      ['jti', 'required'],
    ],
    [['sha256', 'required']],
    [['signing_input_sha256', 'required']],
  ],
  id_jag: [
    [
      ['iss', 'required'],
      ['jti', 'required'],
    ],
    [['sha256', 'required']],
  ],
  session: [
    [
      ['iss', 'required'],
      ['sid', 'required'],
    ],
  ],
  user: [
    [
      ['iss', 'required'],
      ['tenant', 'optional'],
      ['sub', 'required'],
    ],
  ],
  client: [
    [
      ['iss', 'required'],
      ['client_id', 'required'],
    ],
  ],
  agent: [
    [
      ['iss', 'required'],
      ['id', 'required'],
    ],
  ],
};

const IDENTIFIER_SCHEMA = { type: 'string', minLength: 1, maxLength: MAX_IDENTIFIER_BYTES, pattern: NO_NUL } as const;
const DIGEST_SCHEMA = {
  type: 'string',
  pattern: DIGEST.source,
  description: 'SHA-256, base64url without padding',
} as const;

const shapeSchema = (members: readonly Member[]) => ({
  type: 'object',
  properties: Object.fromEntries(
    members.map(([name]) => [name, name.endsWith('sha256') ? DIGEST_SCHEMA : IDENTIFIER_SCHEMA]),
  ),
  required: members.filter(([, need]) => need === 'required').map(([name]) => name),
  additionalProperties: false,
});

const memberSchema = (dimension: Dimension): object => {
  if (dimension === 'agent_type' || dimension === 'resource' || dimension === 'issuer') return IDENTIFIER_SCHEMA;
  const shapes = SHAPES[dimension].map(shapeSchema);
  return shapes.length === 1 ? shapes[0]! : { oneOf: shapes };
};

/** JSON Schema of the selectors that {@link parseSelector} takes. It counts characters, so it allows a text that has too many bytes. */
export const SELECTOR_SCHEMA = {
  type: 'object',
  title: 'Selector',
  description: `A conjunction of at most ${MAX_SELECTOR_MEMBERS} members, or {"all": true}`,
  minProperties: 1,
  maxProperties: MAX_SELECTOR_MEMBERS,
  properties: {
    ...Object.fromEntries(DIMENSIONS.map((dimension) => [dimension, memberSchema(dimension)])),
    all: { type: 'boolean', enum: [true] },
  },
  additionalProperties: false,
  ...implies({ required: ['all'] }, { maxProperties: 1 }),
};

/** Checks a selector from outside. Throws `SelectorError` with a sentence for people. */
export function parseSelector(input: unknown): Selector {
  if (!isRecord(input)) throw new SelectorError('the selector must be an object');
  const names = Object.keys(input);
  if (names.length === 0) throw new SelectorError('the selector is empty: name at least one member, or {"all": true}');
  if ('all' in input) {
    if (input['all'] !== true) throw new SelectorError('`all` must be true');
    if (names.length > 1) throw new SelectorError('`all` contradicts every other member of the selector');
    return { all: true };
  }
  if (names.length > MAX_SELECTOR_MEMBERS)
    throw new SelectorError(`a selector has at most ${MAX_SELECTOR_MEMBERS} members`);
  for (const name of names) {
    if (!DIMENSIONS.includes(name as Dimension))
      throw new SelectorError(`unknown selector member \`${name.slice(0, 64)}\``);
    checkMember(name as Dimension, input[name]);
  }
  return input as Selector;
}

function checkMember(dimension: Dimension, value: unknown): void {
  if (dimension === 'agent_type' || dimension === 'resource' || dimension === 'issuer') {
    checkIdentifier(dimension, value);
    return;
  }
  if (!isRecord(value)) throw new SelectorError(`\`${dimension}\` must be an object`);
  const shapes = SHAPES[dimension];
  const present = Object.keys(value);
  const shape = shapes.find(
    (members) =>
      present.every((name) => members.some(([known]) => known === name)) &&
      members.every(([name, need]) => need === 'optional' || present.includes(name)),
  );
  if (!shape) {
    const wanted = shapes.map(
      (members) => `{${members.map(([name, need]) => (need === 'optional' ? `${name}?` : name)).join(', ')}}`,
    );
    throw new SelectorError(`\`${dimension}\` must be ${wanted.join(' or ')}`);
  }
  for (const name of present) checkIdentifier(`${dimension}.${name}`, value[name]);
  for (const name of present) {
    if (name.endsWith('sha256') && !DIGEST.test(value[name] as string)) {
      throw new SelectorError(`\`${dimension}.${name}\` must be the base64url of 32 bytes, without padding`);
    }
  }
}

function checkIdentifier(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw new SelectorError(`\`${name}\` must be a non-empty string`);
  if (Buffer.byteLength(value) > MAX_IDENTIFIER_BYTES)
    throw new SelectorError(`\`${name}\` is over ${MAX_IDENTIFIER_BYTES} bytes`);
  if (value.includes('\0') || !value.isWellFormed())
    throw new SelectorError(`\`${name}\` holds a NUL or a lone surrogate`);
}

/** Returns the namespaced value of each member, in dimension order. */
export function selectorParts(selector: Selector): readonly (readonly [Dimension, Parts])[] {
  const parts: (readonly [Dimension, Parts])[] = [];
  if (selector.token) parts.push(['token', tokenParts(selector.token)]);
  if (selector.id_jag) parts.push(['id_jag', tokenParts(selector.id_jag)]);
  if (selector.session) parts.push(['session', [selector.session.iss, selector.session.sid]]);
  if (selector.user) parts.push(['user', userParts(selector.user)]);
  if (selector.client) parts.push(['client', [selector.client.iss, selector.client.client_id]]);
  if (selector.agent) parts.push(['agent', [selector.agent.iss, selector.agent.id]]);
  if (selector.agent_type !== undefined) parts.push(['agent_type', [selector.agent_type]]);
  if (selector.resource !== undefined) parts.push(['resource', [selector.resource]]);
  if (selector.issuer !== undefined) parts.push(['issuer', [selector.issuer]]);
  return parts;
}

export function tokenParts(ref: TokenRef): Parts {
  if ('jti' in ref) return [ref.iss, ref.jti];
  return 'sha256' in ref ? [ref.sha256] : [ref.signing_input_sha256];
}

export const userParts = (user: { iss: string; tenant?: string | undefined; sub: string }): Parts => [
  user.iss,
  user.tenant ?? null,
  user.sub,
];

/** A selector as the rule index holds it: a bit for each dimension, and the members' keys joined in dimension order. */
export interface SelectorKey {
  readonly shape: number;
  readonly key: string;
}

export function selectorKey(tenantKey: Uint8Array, selector: Selector): SelectorKey {
  let shape = 0;
  let key = '';
  for (const [dimension, parts] of selectorParts(selector)) {
    shape |= 1 << DIMENSIONS.indexOf(dimension);
    key += ruleKey(tenantKey, dimension, parts);
  }
  return { shape, key };
}

/** Bits of the dimensions whose values are never granted anew. */
const IDENTITY_BITS = (['token', 'id_jag', 'session'] as const).reduce(
  (bits, dimension) => bits | (1 << DIMENSIONS.indexOf(dimension)),
  0,
);

/** Says whether a selector of this shape names a token, an ID-JAG or a session. */
export const namesIdentity = (shape: number): boolean => (shape & IDENTITY_BITS) !== 0;

export const isByIdentity = ({ token, id_jag: idJag, session }: Selector): boolean =>
  Boolean(token ?? idJag ?? session);

/** Lists all selectors of a rule, `selector` first. */
export function expandSelector(
  selector: Selector,
  { client = [], resource = [] }: OtherValues = {},
): readonly Selector[] {
  const byClient = [selector, ...client.map((one): Selector => ({ ...selector, client: one }))];
  return byClient.flatMap((one) => [one, ...resource.map((other): Selector => ({ ...one, resource: other }))]);
}

/** Computes the keys of {@link expandSelector}, in the same order and without duplicates. Each value is hashed once. */
export function selectorKeys(
  tenantKey: Uint8Array,
  selector: Selector,
  { client = [], resource = [] }: OtherValues = {},
): SelectorKeys {
  const others: Partial<Record<Dimension, readonly Parts[]>> = {
    client: client.map((one) => [one.iss, one.client_id]),
    resource: resource.map((one) => [one]),
  };
  let shape = 0;
  let keys = [''];
  for (const [dimension, parts] of selectorParts(selector)) {
    shape |= 1 << DIMENSIONS.indexOf(dimension);
    const values = [parts, ...(others[dimension] ?? [])].map((value) => ruleKey(tenantKey, dimension, value));
    keys = keys.flatMap((key) => values.map((value) => key + value));
  }
  const distinct = [...new Set(keys)];
  if (distinct.length > MAX_SELECTORS_A_RULE)
    throw new RangeError(`a rule has at most ${MAX_SELECTORS_A_RULE} selectors`);
  return { shape, keys: distinct };
}

/** Keys of selectors of one shape. */
export interface SelectorKeys {
  readonly shape: number;
  /** At least one. */
  readonly keys: readonly string[];
}

/** Returns the members that several selectors of one shape have in common. The result selects everything that they select, and more. */
export function commonSelector({ shape, keys }: SelectorKeys): SelectorKey {
  const [first, ...rest] = keys.map((key) => splitSelectorKey({ shape, key }));
  let common = 0;
  let text = '';
  first!.forEach(([dimension, key], nth) => {
    if (!rest.every((other) => other[nth]![1] === key)) return;
    common |= 1 << DIMENSIONS.indexOf(dimension);
    text += key;
  });
  return { shape: common, key: text };
}

/** Splits a selector key into the keys of its members, each with its dimension. */
export function splitSelectorKey(selector: SelectorKey): readonly (readonly [Dimension, RuleKey])[] {
  const keys: (readonly [Dimension, RuleKey])[] = [];
  DIMENSIONS.forEach((dimension, position) => {
    if (selector.shape & (1 << position)) {
      const at = keys.length * KEY_BYTES;
      // Copied through a buffer: a slice would keep the keys of all members in memory.
      keys.push([dimension, Buffer.from(selector.key, 'latin1').toString('latin1', at, at + KEY_BYTES) as RuleKey]);
    }
  });
  return keys;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
