import { MAX_VALUES, type TokenRef } from '../contracts/index.js';
import {
  DIMENSION_TABLE,
  DIMENSIONS,
  parsePart,
  type Dimension,
  type ParsedPart,
  type Parts,
  type RuleKey,
  type Speaker,
} from './dimension.js';
import { KeySets } from './key-sets.js';
import type { PackedSets } from './packed-keys.js';
import { tokenParts } from './selector.js';

/** The most values that a token may have in a dimension. A token with more is never active (design, section 4). */
export const MAX_VALUES_PER_DIMENSION = MAX_VALUES;

interface Agent {
  readonly id?: string | undefined;
  readonly type?: string | undefined;
}

/** The facts of one ID-JAG, from the IdP's `id-jag.issued` or from what a RAS says that it verified. Members as in wire.md. */
export interface IdJagFacts {
  readonly iss: string;
  readonly jti?: string | undefined;
  readonly sha256?: string | undefined;
  readonly sub?: string | undefined;
  readonly tenant?: string | undefined;
  /** The RASs that the ID-JAG is addressed to. `client_id` and `aud_sub` are names at these RASs. */
  readonly aud?: readonly string[] | undefined;
  readonly resource?: readonly string[] | undefined;
  readonly aud_tenant?: string | undefined;
  readonly aud_sub?: string | undefined;
  readonly client_id?: string | undefined;
  readonly idp_client_id?: string | undefined;
  readonly sid?: string | undefined;
  readonly agent?: Agent | undefined;
  readonly iat?: number | undefined;
  readonly auth_time?: number | undefined;
  /** For a later hop: the token that the ID-JAG was exchanged for. */
  readonly parent?: TokenRef | undefined;
}

/** The facts of one token, from its `token.issued`. Members as in wire.md. */
export interface TokenFacts {
  readonly iss: string;
  readonly jti?: string | undefined;
  readonly sha256?: string | undefined;
  readonly signing_input_sha256?: string | undefined;
  readonly sub?: string | undefined;
  readonly tenant?: string | undefined;
  readonly client_id: string;
  readonly aud?: readonly string[] | undefined;
  readonly resource?: readonly string[] | undefined;
  readonly iat: number;
  readonly auth_time?: number | undefined;
  readonly sid?: string | undefined;
  readonly agent?: Agent | undefined;
  readonly id_jag?: IdJagFacts | undefined;
  /** The token that this one came from. */
  readonly parent?: TokenRef | undefined;
}

/** A token or ID-JAG with everything that it came from. `tokens` is empty for an ID-JAG without a parent token. */
export interface Lineage {
  readonly tokens: readonly TokenFacts[];
  readonly idJags: readonly IdJagFacts[];
  /** Lowest control seq at which a member was first recorded; undefined if none has been recorded. */
  readonly seenSeq: bigint | undefined;
  /** Largest clock skew of the sources involved, in seconds. */
  readonly skew: number;
}

/** The times of a token that rules compare. */
export interface TokenTimes {
  /** Oldest `iat` of the token and its lineage, epoch seconds. */
  readonly grantedAt: number;
  /** Oldest `auth_time`, epoch seconds. */
  readonly authenticatedAt: number | undefined;
  readonly seenSeq: bigint;
  readonly skew: number;
}

/** The keys of a token, one set for each dimension, and the times that rules compare. Computed once, with the token's facts. */
export interface TokenKeys extends TokenTimes {
  /** Keys by position in `DIMENSIONS`. */
  readonly sets: readonly (readonly RuleKey[])[];
}

/** The same as {@link TokenKeys}, in the packed form for a token that is one of many in memory. */
export type PackedTokenKeys = TokenTimes & PackedSets;

const NEVER_SEEN = 1n << 62n;

/** Computes the keys and times of a lineage. Returns undefined, which means never active, if a dimension has too many values or no `iat` is known. */
export function tokenKeys(tenantKey: Uint8Array, lineage: Lineage): TokenKeys | undefined {
  const { tokens, idJags, seenSeq, skew } = lineage;
  const keys = new KeySets(tenantKey, MAX_VALUES_PER_DIMENSION);
  for (const token of tokens) addToken(keys, token);
  for (const idJag of idJags) addIdJag(keys, idJag, idJag.aud);
  const { sets } = keys;
  if (!sets) return undefined;

  const stated = tokens.flatMap((token) => (token.id_jag ? [token.id_jag] : []));
  const all = [...tokens, ...stated, ...idJags];
  const grantedAt = least(all.map((facts) => facts.iat));
  if (grantedAt === undefined) return undefined;
  return {
    sets,
    grantedAt,
    authenticatedAt: least(all.map((facts) => facts.auth_time)),
    seenSeq: seenSeq ?? NEVER_SEEN,
    skew,
  };
}

function addToken(keys: KeySets, token: TokenFacts): void {
  keys.add('token', tokenParts(tokenRef(token)));
  // The name of the parent is enough: a rule on the parent works before the parent's own event has arrived.
  if (token.parent) keys.add('token', tokenParts(token.parent));
  addStated(keys, STATEMENTS.token, token, token.aud);
  if (token.id_jag) addIdJag(keys, token.id_jag, [token.iss]);
}

function addIdJag(keys: KeySets, idJag: IdJagFacts, aud: readonly string[] | undefined): void {
  if (idJag.parent) keys.add('token', tokenParts(idJag.parent));
  addStated(keys, STATEMENTS.id_jag, idJag, aud);
}

/** Takes the names that facts state, one at a time; a name may come more than once. */
export interface NameTaker {
  add(dimension: Dimension, parts: Parts): void;
}

/** Gives the names of some dimensions that facts state: the same names as {@link tokenKeys} makes keys of. */
export interface StatedNames {
  /** Names of the token and of the ID-JAG that its facts state. */
  ofToken(token: TokenFacts, names: NameTaker): void;
  ofIdJag(idJag: IdJagFacts, names: NameTaker): void;
}

export function createStatedNames(dimensions: readonly Dimension[]): StatedNames {
  const spokenBy = (speaker: Speaker): readonly StatementOf[] =>
    STATEMENTS[speaker].filter(({ dimension }) => dimensions.includes(dimension));
  const [token, idJag] = [spokenBy('token'), spokenBy('id_jag')];
  return {
    ofToken(facts, names) {
      addStated(names, token, facts, facts.aud);
      if (facts.id_jag) addStated(names, idJag, facts.id_jag, [facts.iss]);
    },
    ofIdJag: (facts, names) => addStated(names, idJag, facts, facts.aud),
  };
}

interface StatementOf {
  readonly dimension: Dimension;
  readonly parts: readonly ParsedPart[];
}

const statementsOf = (speaker: Speaker): readonly StatementOf[] =>
  DIMENSIONS.flatMap((dimension) =>
    DIMENSION_TABLE[dimension].stated
      .filter(({ of }) => of === speaker)
      .map(({ parts }) => ({ dimension, parts: parts.map(parsePart) })),
  );

const STATEMENTS: Readonly<Record<Speaker, readonly StatementOf[]>> = {
  token: statementsOf('token'),
  id_jag: statementsOf('id_jag'),
};

/** Adds every name that the facts state. `aud`: those that the facts are addressed to. */
function addStated(
  keys: NameTaker,
  statements: readonly StatementOf[],
  facts: TokenFacts | IdJagFacts,
  aud: readonly string[] | undefined,
): void {
  for (const { dimension, parts } of statements) addNames(keys, dimension, parts, facts as unknown as Members, aud);
}

type Members = Readonly<Record<string, unknown>>;

function addNames(
  keys: NameTaker,
  dimension: Dimension,
  parts: readonly ParsedPart[],
  facts: Members,
  aud: readonly string[] | undefined,
): void {
  const name: (string | null)[] = [];
  let list: readonly string[] | undefined;
  for (let nth = 0; nth < parts.length; nth++) {
    const { path, each, optional } = parts[nth]!;
    let value = each && path[0] === 'aud' ? aud : facts[path[0]!];
    if (path.length > 1 && value !== undefined) value = (value as Members)[path[1]!];
    if (value === undefined && !optional) return;
    if (each) list = value as readonly string[];
    else name.push((value as string | undefined) ?? null);
  }
  if (list === undefined) keys.add(dimension, name);
  // A list comes first in its name.
  else for (const one of list) keys.add(dimension, [one, ...name]);
}

/** Returns the identity of a token (design, section 2): `iss` and `jti`, or one of the two digests. */
export function tokenRef(token: Pick<TokenFacts, 'iss' | 'jti' | 'sha256' | 'signing_input_sha256'>): TokenRef {
  if (token.jti !== undefined) return { iss: token.iss, jti: token.jti };
  if (token.sha256 !== undefined) return { sha256: token.sha256 };
  if (token.signing_input_sha256 !== undefined) return { signing_input_sha256: token.signing_input_sha256 };
  throw new TypeError('a token has a jti or a digest');
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
