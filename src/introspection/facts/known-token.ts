import type { TokenIssued, TokenReference } from '../../contracts/index.js';
import type { Tenant } from '../../control/index.js';
import type { StoredLineage } from '../../projections/index.js';
import { packKeys, unpackKeys, type PackedKeys, type RuleKey } from '../../rules/index.js';
import { confirmationOf, subjectOf } from './claims.js';
import { stopKeys } from './lineage.js';
import { createSharer, type Sharer } from './sharer.js';
import { shareKind, type TokenKind } from './token-kind.js';

/** The recorded facts of one token in the form that the decision needs, computed once. */
export interface KnownToken {
  readonly common: TokenKind;
  /** The `jti` or the digest. */
  readonly id: string;
  readonly iat: number;
  readonly exp: number | undefined;
  /** The thumbprints that it is bound to, as `confirmationOf` spells them. */
  readonly confirmation: string;
  /** Rule keys of its lineage; undefined when a dimension holds more than its bound: never active. */
  readonly keys: PackedKeys | undefined;
  /** Those that it has in common with many others. */
  readonly commonKeys: PackedKeys;
  readonly grantedAt: number;
  readonly authenticatedAt: number | undefined;
  readonly seenSeq: bigint;
  /** Parts of the active answer: `sub`, and rare members. */
  readonly subject: string;
  readonly rest: string;
  /** Bytes of the active answer. */
  readonly bytes: number;
  /** Seconds on the clock of the memory that holds it. */
  readonly readAt: number;
  /** For the memory that holds it: asked about since it was last passed over. */
  asked: boolean;
  /** The place in which the token was counted last, kept here so that counting needs no search. */
  usage: number;
}

/** The parts that the tokens of one memory share. */
export interface Shared {
  readonly kinds: Sharer<TokenKind>;
  readonly texts: Sharer<string>;
  readonly seqs: Sharer<bigint>;
}

export const createShared = ({ max }: { readonly max: number }): Shared => ({
  kinds: createSharer({ max }),
  texts: createSharer({ max }),
  seqs: createSharer({ max }),
});

export interface KnowOptions {
  readonly tenant: Tenant;
  readonly shared: Shared;
  /** The key under which the token is remembered. It is an opaque token's digest, which is then held once. */
  readonly memoryKey: string;
  readonly readAt: number;
}

export function knowToken(stored: StoredLineage, { tenant, shared, memoryKey, readAt }: KnowOptions): KnownToken {
  const { facts } = stored.tokens[0]!;
  const identity = facts.jti !== undefined ? 'jti' : facts.sha256 !== undefined ? 'sha256' : 'signing_input_sha256';
  const id = (facts.jti ?? facts.sha256 ?? facts.signing_input_sha256)!;
  const keys = stopKeys(tenant, stored);
  const packed = keys && packKeys(keys.sets);
  const token = {
    common: shareKind(tenant, identity, stored, shared.kinds),
    id: id === memoryKey ? memoryKey : id,
    iat: facts.iat,
    exp: facts.exp,
    confirmation: shareText(confirmationOf(facts.cnf ?? {}), shared),
    keys: packed?.own,
    commonKeys: shareText(packed?.common ?? '', shared) as PackedKeys,
    grantedAt: keys?.grantedAt ?? 0,
    authenticatedAt: keys?.authenticatedAt,
    seenSeq: shareSeq(keys?.seenSeq ?? 0n, shared),
    subject: shareText(facts.sub === undefined ? '' : subjectOf(facts.sub), shared),
    rest: shareText(restOf(facts), shared),
    bytes: 0,
    readAt,
    asked: false,
    usage: -1,
  };
  token.bytes = Buffer.byteLength(activeBody(token));
  return token;
}

const shareText = (text: string, { texts }: Shared): string => (text === '' ? '' : texts.share(text, () => text));

const shareSeq = (seq: bigint, { seqs }: Shared): bigint => seqs.share(String(seq), () => seq);

/** The rule keys of a token, by position in `DIMENSIONS`; undefined where it has too many. For whoever is to judge later rules. */
export const setsOf = ({ keys, commonKeys }: KnownToken): readonly (readonly RuleKey[])[] | undefined =>
  keys && unpackKeys({ own: keys, common: commonKeys });

function restOf({ jti, cnf, act, auth_time, acr }: TokenIssued): string {
  const rest = JSON.stringify({ jti: jti === undefined || isPlain(jti) ? undefined : jti, cnf, act, auth_time, acr });
  return rest === '{}' ? '' : `,${rest.slice(1, -1)}`;
}

/** Whether JSON spells it as it is, in one byte a character. */
const isPlain = (text: string): boolean => /^[ !#-[\]-~]*$/.test(text);

/** The active answer, put together anew: a node that holds a million of them cannot hold their texts. */
export function activeBody({
  common,
  id,
  iat,
  exp,
  subject,
  rest,
}: Pick<KnownToken, 'common' | 'id' | 'iat' | 'exp' | 'subject' | 'rest'>): string {
  const times = exp === undefined ? `,"iat":${iat}` : `,"exp":${exp},"iat":${iat}`;
  const jti = common.identity === 'jti' && !rest.startsWith(',"jti"') ? `,"jti":"${id}"` : '';
  return `${common.head}${subject}${times}${jti}${rest}}`;
}

/** The token as events name it (wire.md). */
export function referenceOf({ common, id }: KnownToken): TokenReference {
  switch (common.identity) {
    case 'jti':
      return { iss: common.iss, jti: id };
    case 'sha256':
      return { sha256: id };
    case 'signing_input_sha256':
      return { signing_input_sha256: id };
    default:
      return common.identity satisfies never;
  }
}
