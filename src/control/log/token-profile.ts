import type { SigningAlgorithm } from '../../contracts/index.js';

/** The lineage that a token must have: the RAS's statement about its ID-JAG, the IdP's own event too, or none. */
export type LineageDemand = 'stated' | 'confirmed' | 'none';

/** How tokens of a source are read and judged (wire.md, "Token profile of a source"). Durations in seconds. */
export interface TokenProfile {
  /** One demand for tokens that came from an ID-JAG, one for all others. */
  readonly lineage: { readonly id_jag: LineageDemand; readonly other: LineageDemand };
  readonly max_token_lifetime: number;
  readonly skew: number;
  /** JOSE `typ` values of the source's JWT access tokens; null stands for a header without `typ`. */
  readonly typ: readonly (string | null)[];
  readonly algorithms: readonly SigningAlgorithm[];
  /** The claim that names the client, in place of the usual ones. */
  readonly claims: { readonly client_id?: string };
  /** Claims that may identify a JWT: the first that is present does. Without any of them, the digest of the signing input does. */
  readonly identity: readonly string[];
  /** The resource of a token whose `aud` is absent or names only `ignored_audiences`. */
  readonly default_resource?: string;
  readonly ignored_audiences: readonly string[];
  /** `required`: a token that no event announced is inactive. `optional`: a JWT that verifies is recorded at first sight. */
  readonly announced: 'required' | 'optional';
}

export const DEFAULT_TOKEN_PROFILE: TokenProfile = {
  lineage: { id_jag: 'stated', other: 'stated' },
  max_token_lifetime: 86_400,
  skew: 5,
  typ: ['at+jwt'],
  algorithms: ['ES256', 'EdDSA', 'PS256', 'RS256'],
  claims: {},
  identity: ['jti'],
  ignored_audiences: [],
  announced: 'required',
};

/** A profile as a control record holds it. Releases before record version 3 know one demand, one `typ` and no further member. */
export type StoredProfile = Pick<TokenProfile, 'max_token_lifetime' | 'skew' | 'algorithms'> &
  Partial<Pick<TokenProfile, 'claims' | 'identity' | 'default_resource' | 'ignored_audiences' | 'announced'>> & {
    readonly lineage: LineageDemand | TokenProfile['lineage'];
    readonly typ: string | TokenProfile['typ'];
  };

export const readProfile = (stored: StoredProfile): TokenProfile => ({
  ...DEFAULT_TOKEN_PROFILE,
  ...stored,
  lineage: typeof stored.lineage === 'string' ? { id_jag: stored.lineage, other: stored.lineage } : stored.lineage,
  typ: typeof stored.typ === 'string' ? [stored.typ] : stored.typ,
});

/** Writes a profile in the oldest spelling that can express it, so that older releases read as much as they can follow. */
export function storedProfile({
  lineage,
  typ,
  claims,
  identity,
  ignored_audiences: ignored,
  announced,
  ...rest
}: TokenProfile): StoredProfile {
  const [first, ...others] = typ;
  return {
    ...rest,
    lineage: lineage.id_jag === lineage.other ? lineage.other : lineage,
    typ: typeof first === 'string' && others.length === 0 ? first : typ,
    ...(claims.client_id === undefined ? {} : { claims }),
    ...(identity.length === 1 && identity[0] === 'jti' ? {} : { identity }),
    ...(ignored.length === 0 ? {} : { ignored_audiences: ignored }),
    ...(announced === 'required' ? {} : { announced }),
  };
}

const FIRST_MEMBERS: ReadonlySet<string> = new Set(['lineage', 'max_token_lifetime', 'skew', 'typ', 'algorithms']);
const FIRST_ALGORITHMS: ReadonlySet<string> = new Set(DEFAULT_TOKEN_PROFILE.algorithms);

/** Says whether releases before record version 3 judge tokens by this profile as this release does. */
export const isFirstSpelling = (profile: StoredProfile): boolean =>
  typeof profile.lineage === 'string' &&
  typeof profile.typ === 'string' &&
  Object.keys(profile).every((member) => FIRST_MEMBERS.has(member)) &&
  profile.algorithms.every((algorithm) => FIRST_ALGORITHMS.has(algorithm));
