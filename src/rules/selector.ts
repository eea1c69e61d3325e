import {
  DIGEST_PATTERN,
  IDENTITY_MEMBERS,
  MAX_IDENTIFIER_LENGTH,
  MAX_SELECTOR_MEMBERS,
  RescindError,
  SELECTOR_FORMS,
} from '../contracts/index.js';
import type { OtherValues, Selector, TokenRef } from '../contracts/index.js';
import { DIMENSIONS, KEY_BYTES, ruleKey, type Dimension, type Parts, type RuleKey } from './dimension.js';
import type { Effect } from './rule.js';

const DIGEST = new RegExp(DIGEST_PATTERN);

/** The most selectors that one rule may have. A connection event has at most 72, a client event and `/revoke` about 100. */
export const MAX_SELECTORS_A_RULE = 128;

/**
 * Checks a selector from outside. Throws `invalid-selector` with a sentence for people, `empty-selector`, `contradictory-selector` or
 * `selector-too-long`.
 */
export function parseSelector(input: unknown): Selector {
  if (!isRecord(input)) throw invalid('the selector must be an object');
  const names = Object.keys(input);
  if (names.length === 0) throw new RescindError('empty-selector');
  if ('all' in input) {
    if (names.length > 1)
      throw new RescindError('contradictory-selector', { detail: '`all` contradicts every other member' });
    if (input['all'] !== true) throw invalid('`all` must be true');
    return { all: true };
  }
  if (names.length > MAX_SELECTOR_MEMBERS) throw new RescindError('selector-too-long');
  for (const name of names) {
    if (!DIMENSIONS.includes(name as Dimension)) throw invalid(`unknown selector member \`${name.slice(0, 64)}\``);
    checkMember(name as Dimension, input[name]);
  }
  return input as Selector;
}

const invalid = (detail: string): RescindError => new RescindError('invalid-selector', { detail });

function checkMember(dimension: Dimension, value: unknown): void {
  const forms = SELECTOR_FORMS[dimension];
  if (forms === undefined) {
    checkIdentifier(dimension, value);
    return;
  }
  if (!isRecord(value)) throw invalid(`\`${dimension}\` must be an object`);
  const present = Object.keys(value);
  const form = forms.find(
    (members) =>
      present.every((name) => members.some(([known]) => known === name)) &&
      members.every(([name, need]) => need === 'optional' || present.includes(name)),
  );
  if (!form) {
    const wanted = forms.map(
      (members) => `{${members.map(([name, need]) => (need === 'optional' ? `${name}?` : name)).join(', ')}}`,
    );
    throw invalid(`\`${dimension}\` must be ${wanted.join(' or ')}`);
  }
  for (const name of present) checkIdentifier(`${dimension}.${name}`, value[name]);
  for (const name of present) {
    if (name.endsWith('sha256') && !DIGEST.test(value[name] as string)) {
      throw invalid(`\`${dimension}.${name}\` must be the base64url of 32 bytes, without padding`);
    }
  }
}

function checkIdentifier(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw invalid(`\`${name}\` must be a non-empty string`);
  if (Buffer.byteLength(value) > MAX_IDENTIFIER_LENGTH)
    throw invalid(`\`${name}\` is over ${MAX_IDENTIFIER_LENGTH} bytes`);
  if (value.includes('\0') || !value.isWellFormed()) throw invalid(`\`${name}\` holds a NUL or a lone surrogate`);
}

/** Returns the namespaced value of each member, in dimension order. */
export function selectorParts(selector: Selector): readonly (readonly [Dimension, Parts])[] {
  const parts: (readonly [Dimension, Parts])[] = [];
  for (const dimension of DIMENSIONS) {
    const value = selector[dimension];
    if (value !== undefined) parts.push([dimension, typeof value === 'string' ? [value] : namesOf(dimension, value)]);
  }
  return parts;
}

function namesOf(dimension: Dimension, value: object): Parts {
  const names = value as Readonly<Record<string, string | undefined>>;
  const form = SELECTOR_FORMS[dimension]!.find((members) => names[members[0]![0]] !== undefined);
  return form!.map(([name]) => names[name] ?? null);
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
const IDENTITY_BITS = IDENTITY_MEMBERS.reduce((bits, dimension) => bits | (1 << DIMENSIONS.indexOf(dimension)), 0);

/** Says whether a selector of this shape names a token, an ID-JAG or a session. */
export const namesIdentity = (shape: number): boolean => (shape & IDENTITY_BITS) !== 0;

export const isByIdentity = (selector: Selector): boolean =>
  IDENTITY_MEMBERS.some((member) => selector[member] !== undefined);

/**
 * Chooses the effect of an order that names none. A token, ID-JAG or session does not come back; anything else would return at the next token
 * exchange if only revoked.
 */
export const defaultEffect = (selector: Selector): Effect => (isByIdentity(selector) ? 'revoke' : 'block');

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
