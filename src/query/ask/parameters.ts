import { MAX_IDENTIFIER_LENGTH, NO_NUL, NOT_BLANK, RescindError } from '../../contracts/index.js';
import { userParts, type Parts } from '../../rules/index.js';
import type { FilterKind } from './entity-kinds.js';

/** Items in a page if `limit` is not given. */
export const DEFAULT_PAGE = 50;
export const MAX_PAGE = 100;
export const MAX_ENTITY_ID = 2 ** 31 - 1;
const MAX_INT64 = 2n ** 63n - 1n;
/** Bytes of a cursor: base64url of a page's position and its 16-byte proof. We never write a longer one. */
const MAX_CURSOR_LENGTH = 512;

/*
 * Each schema stands beside its reader, and OpenAPI shows it (`parameter-docs.ts`). A schema cannot count bytes, which `readParameters`
 * does, nor say which parameters exclude each other: that is `inconsistent-request`.
 */
export const TEXT = { type: 'string', minLength: 1, maxLength: MAX_IDENTIFIER_LENGTH, pattern: NO_NUL } as const;
export const CURSOR = { ...TEXT, maxLength: MAX_CURSOR_LENGTH } as const;
export const ENTITY = { type: 'integer', minimum: 1, maximum: MAX_ENTITY_ID } as const;
/** Words of a search. Without the white space around them they must not be empty. */
export const WORDS = { ...TEXT, pattern: NOT_BLANK } as const;
/** Begins the id of an issuer in a graph. */
export const ISSUER_NODE = 'issuer:';
/** The id of a node of a graph. */
export const EXPAND = { anyOf: [ENTITY, { ...TEXT, pattern: `^${ISSUER_NODE}[^\\u0000]+$` }] } as const;
const matching = (pattern: RegExp) => ({ type: 'string', pattern: pattern.source }) as const;

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
    if (!known.includes(name))
      throw invalid(`unknown parameter \`${name.slice(0, 64)}\`; this question knows ${known.join(', ')}`);
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
    if (given.length > 1)
      throw inconsistent(
        `give \`${kind}\` or ${names
          .slice(1)
          .map((name) => `\`${name}\``)
          .join(' and ')}, not both`,
      );
    const number = entityIdOf(id);
    if (number !== undefined) return { id: number };
    if (kind === 'resource') return { parts: [id] };
    throw invalid(`\`${kind}\` is the id of an entity, a decimal number from ${ENTITY.minimum} to ${ENTITY.maximum}`);
  }
  switch (kind) {
    case 'user': {
      const tenant = parameters.get('user_tenant');
      return {
        parts: userParts({ iss: needBeside(parameters, 'user_iss'), sub: needBeside(parameters, 'user_sub'), tenant }),
      };
    }
    case 'client':
      return { parts: [needBeside(parameters, 'client_iss'), needBeside(parameters, 'client_id')] };
    case 'agent':
      return { parts: [needBeside(parameters, 'agent_iss'), needBeside(parameters, 'agent_id')] };
    case 'resource':
      return undefined;
  }
}

export const LIMIT = { type: 'integer', minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE } as const;

export function readLimit(parameters: Parameters, most: number = MAX_PAGE): number {
  const text = parameters.get('limit');
  return text === undefined ? DEFAULT_PAGE : readInteger('limit', text, 1, most);
}

export function readChoice(
  parameters: Parameters,
  name: string,
  codes: Readonly<Record<string, number>>,
): number | undefined {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  if (!Object.hasOwn(codes, text)) throw invalid(`\`${name}\` is one of ${Object.keys(codes).join(', ')}`);
  return codes[text];
}

const DIGEST_PATTERN = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
export const DIGEST = matching(DIGEST_PATTERN);

export function readDigest(parameters: Parameters, name: string): string | undefined {
  const text = parameters.get(name);
  if (text !== undefined && !DIGEST_PATTERN.test(text))
    throw invalid(`\`${name}\` is the base64url of 32 bytes, without padding`);
  return text;
}

/**
 * The 16 bytes of a token's key in 22 characters. The last four bits must be zero, so that a token has one spelling.
 */
const TOKEN_ID_PATTERN = /^[A-Za-z0-9_-]{21}[AQgw]$/;
export const TOKEN_ID = matching(TOKEN_ID_PATTERN);

export function readTokenId(text: string): Buffer {
  if (!TOKEN_ID_PATTERN.test(text))
    throw invalid('the id of a token is the base64url of 16 bytes, without padding, as other answers give it');
  return Buffer.from(text, 'base64url');
}

const INDEX_PATTERN = /^(?:0|[1-9][0-9]{0,18})$/;
export const INDEX = matching(INDEX_PATTERN);

/** No ledger comes to the largest index that PostgreSQL can hold, so a larger one stands for that: it is not found either. */
export function readIndex(text: string): bigint {
  if (!INDEX_PATTERN.test(text))
    throw invalid('an index is a decimal number of at most 19 digits, without leading zeros');
  const index = BigInt(text);
  return index > MAX_INT64 ? MAX_INT64 : index;
}

/** An index behind which entries are read. The whole ledger stands behind -1. */
export const INDEX_BEHIND = matching(/^(?:-1|0|[1-9][0-9]{0,18})$/);

export const readIndexBehind = (text: string): bigint => (text === '-1' ? -1n : readIndex(text));

/** The id of an entity; undefined for a text that is none. */
export function entityIdOf(text: string): number | undefined {
  const id = /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : NaN;
  return id <= MAX_ENTITY_ID ? id : undefined;
}

const UUID_PATTERN = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
export const UUID = matching(UUID_PATTERN);

export function readUuid(parameters: Parameters, name: string): string | undefined {
  const text = parameters.get(name);
  if (text !== undefined && !UUID_PATTERN.test(text)) throw invalid(`\`${name}\` is a UUID in lower case`);
  return text;
}

const FLAGS: Readonly<Record<string, boolean>> = { true: true, false: false };

export function readFlag(parameters: Parameters, name: string, otherwise: boolean): boolean {
  const text = parameters.get(name) ?? String(otherwise);
  if (!Object.hasOwn(FLAGS, text)) throw invalid(`\`${name}\` is true or false`);
  return FLAGS[text]!;
}

export function need(parameters: Parameters, name: string): string {
  const value = parameters.get(name);
  if (value === undefined) throw invalid(`\`${name}\` is missing`);
  return value;
}

/** For a part of a name: the parameter goes with others, and alone it could not be required. */
export function needBeside(parameters: Parameters, name: string): string {
  const value = parameters.get(name);
  if (value === undefined) throw inconsistent(`\`${name}\` is missing`);
  return value;
}

function readInteger(name: string, text: string, min: number, max: number): number {
  const value = /^(?:0|[1-9][0-9]*)$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) throw invalid(`\`${name}\` is an integer from ${min} to ${max}`);
  return value;
}

export const invalid = (detail: string): RescindError => new RescindError('invalid-request', { detail });
/** For parameters that are well formed and exclude or need one another. */
export const inconsistent = (detail: string): RescindError => new RescindError('inconsistent-request', { detail });
