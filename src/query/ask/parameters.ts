import { MAX_IDENTIFIER_LENGTH, MAX_TIME_SECONDS, MIN_TIME_SECONDS, RescindError } from '../../contracts/index.js';
import { userParts, type Parts } from '../../rules/index.js';
import type { FilterKind } from './entity-kinds.js';

/** Items in a page if `limit` is not given. */
export const DEFAULT_PAGE = 50;
export const MAX_PAGE = 100;
export const MAX_ENTITY_ID = 2 ** 31 - 1;
const MAX_INT64 = 2n ** 63n - 1n;
/** Bytes of a cursor: base64url of a page's position and its 16-byte proof. We never write a longer one. */
const MAX_CURSOR_LENGTH = 512;

/** An entity, identified by the id that another answer gave it or by its name. */
export type EntityRef = { readonly id: number } | { readonly parts: Parts };

/** The parameters of one question that are present, each given once. */
export type Parameters = ReadonlyMap<string, string>;

/** The parameters that name each kind: an id alone, or the parts of a name. */
export const FILTER_PARAMETERS = {
  user: ['user', 'user_iss', 'user_sub', 'user_tenant'],
  client: ['client', 'client_iss', 'client_id'],
  agent: ['agent', 'agent_iss', 'agent_id'],
  resource: ['resource'],
} as const satisfies Record<FilterKind, readonly string[]>;

/**
 * Reads the parameters and refuses any that the question does not know: a misspelt filter must not answer a wider
 * question.
 */
export function readParameters(query: unknown, known: readonly string[]): Parameters {
  const read = new Map<string, string>();
  for (const [name, value] of Object.entries((query ?? {}) as Record<string, unknown>)) {
    if (!known.includes(name)) throw invalid(`unknown parameter \`${name.slice(0, 64)}\`; this question knows ${known.join(', ')}`);
    if (typeof value !== 'string') throw invalid(`\`${name}\` is given more than once`);
    if (value === '') throw invalid(`\`${name}\` is empty`);
    if (value.includes('\0') || !value.isWellFormed()) throw invalid(`\`${name}\` holds a NUL or a lone surrogate`);
    const limit = name === 'cursor' ? MAX_CURSOR_LENGTH : MAX_IDENTIFIER_LENGTH;
    if (Buffer.byteLength(value) > limit) {
      throw name === 'cursor' ? new RescindError('invalid-cursor') : invalid(`\`${name}\` is over ${limit} bytes`);
    }
    read.set(name, value);
  }
  return read;
}

export function readEntity(parameters: Parameters, kind: FilterKind): EntityRef | undefined {
  const names = FILTER_PARAMETERS[kind];
  const given = names.filter((name) => parameters.has(name));
  if (given.length === 0) return undefined;
  const id = parameters.get(kind);
  if (id !== undefined) {
    if (given.length > 1) throw invalid(`give \`${kind}\` or ${names.slice(1).map((name) => `\`${name}\``).join(' and ')}, not both`);
    if (/^[0-9]+$/.test(id)) return { id: readInteger(kind, id, 1, MAX_ENTITY_ID) };
    if (kind === 'resource') return { parts: [id] };
    throw invalid(`\`${kind}\` is the id of an entity, a decimal number`);
  }
  switch (kind) {
    case 'user': {
      const tenant = parameters.get('user_tenant');
      return { parts: userParts({ iss: need(parameters, 'user_iss'), sub: need(parameters, 'user_sub'), tenant }) };
    }
    case 'client':
      return { parts: [need(parameters, 'client_iss'), need(parameters, 'client_id')] };
    case 'agent':
      return { parts: [need(parameters, 'agent_iss'), need(parameters, 'agent_id')] };
    case 'resource':
      return undefined;
  }
}

/** Reads a time in integer seconds since the epoch, like every time of the API. */
export function readSeconds(parameters: Parameters, name: string): number | undefined {
  const text = parameters.get(name);
  return text === undefined ? undefined : readInteger(name, text, MIN_TIME_SECONDS, MAX_TIME_SECONDS);
}

/** A half-open window of time: from ≤ time < to. */
export interface Window {
  readonly from: number | undefined;
  readonly to: number | undefined;
}

export function readWindow(parameters: Parameters): Window {
  const window = { from: readSeconds(parameters, 'from'), to: readSeconds(parameters, 'to') };
  if (window.from !== undefined && window.to !== undefined && window.from >= window.to) throw invalid('`from` must be earlier than `to`');
  return window;
}

export function readLimit(parameters: Parameters): number {
  const text = parameters.get('limit');
  return text === undefined ? DEFAULT_PAGE : readInteger('limit', text, 1, MAX_PAGE);
}

export function readChoice(parameters: Parameters, name: string, codes: Readonly<Record<string, number>>): number | undefined {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  if (!Object.hasOwn(codes, text)) throw invalid(`\`${name}\` is one of ${Object.keys(codes).join(', ')}`);
  return codes[text];
}

const DIGEST = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

export function readDigest(parameters: Parameters, name: string): string | undefined {
  const text = parameters.get(name);
  if (text !== undefined && !DIGEST.test(text)) throw invalid(`\`${name}\` is the base64url of 32 bytes, without padding`);
  return text;
}

/**
 * The 16 bytes of a token's key in 22 characters. The last four bits must be zero, so that a token has one spelling.
 */
const TOKEN_ID = /^[A-Za-z0-9_-]{21}[AQgw]$/;

export function readTokenId(text: string): Buffer {
  if (!TOKEN_ID.test(text)) throw invalid('the id of a token is the base64url of 16 bytes, without padding, as other answers give it');
  return Buffer.from(text, 'base64url');
}

export function readIndex(text: string): bigint {
  if (!/^(?:0|[1-9][0-9]{0,18})$/.test(text) || BigInt(text) > MAX_INT64) throw invalid('an index is a decimal number without leading zeros');
  return BigInt(text);
}

export function need(parameters: Parameters, name: string): string {
  const value = parameters.get(name);
  if (value === undefined) throw invalid(`\`${name}\` is missing`);
  return value;
}

function readInteger(name: string, text: string, min: number, max: number): number {
  const value = /^(?:0|[1-9][0-9]*)$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) throw invalid(`\`${name}\` is an integer from ${min} to ${max}`);
  return value;
}

export const invalid = (detail: string): RescindError => new RescindError('invalid-request', { detail });
