import { LRUCache } from 'lru-cache';
import { parseCompactJws, sha256, spellings, verifySignature, type CompactJws } from '../../contracts/index.js';
import { DEFAULT_TOKEN_PROFILE, type ControlState, type Source, type Tenant } from '../../control/index.js';
import type { KeySets, VerificationKey } from '../../registry/index.js';
import { ruleKey, type RuleKey } from '../../rules/index.js';
import type { Claims } from '../facts/claims.js';
import { DEFAULT_MAX_TOKENS } from '../facts/facts.js';
import { createIssuerSources, suits, type TokenUse } from './issuer-sources.js';
import { createSecondChance, type SecondChance } from '../facts/second-chance.js';
import { createSharer } from '../facts/sharer.js';
import {
  CONTRADICTION,
  readClient,
  readStatement,
  type CommonStatement,
  type TextStatement,
} from './text-statement.js';

/** ID-JAGs whose verification is remembered; each is redeemed once, as a rule. */
const MAX_REMEMBERED_ID_JAGS = 10_000;

/** Texts whose bad signature is remembered, so that one forged text repeated costs one verification. */
const MAX_REMEMBERED_FORGERIES = 10_000;

/** How long: an issuer may publish another key under the same `kid`. */
const FORGERY_MEMORY_MS = 30_000;

/** A JWT whose signature a registered key made. Holds nothing of its text, and of an access token's claims what facts may state too. */
export interface VerifiedJwt {
  /** Its identity as a rule key: what its facts are recorded under. */
  readonly key: RuleKey;
  readonly source: Source;
  /** Undefined where no facts could agree with its claims. */
  readonly statement: TextStatement | undefined;
  /** Epoch seconds: the later of `iat` and `nbf`. Infinite where one is of another type than a number. */
  readonly begins: number;
  /** Present for an ID-JAG: its claims are its facts, and a rule may select it by digest. */
  readonly idJag?: {
    readonly claims: Claims;
    /** SHA-256 of every text that carries these claims under this signature. */
    readonly spellings: readonly string[];
  };
}

/** The identity that a text states, for RFC 7009. */
export type TokenIdentity =
  | { readonly kind: 'opaque'; readonly sha256: string }
  | {
      readonly kind: 'jwt';
      readonly iss: string;
      /** The claim that identifies it, `jti` or another by its source's profile; undefined where its signing input does. */
      readonly jti: string | undefined;
      readonly signing_input_sha256: string;
      readonly client_id: string | undefined;
    }
  /** A key that is there refuses the JWT, or no source of the tenant would write one like it. */
  | { readonly kind: 'refused' }
  /** Some source may have made the JWT, and the key that would tell is not there now. */
  | { readonly kind: 'no-key' };

/** Verifies signatures, each text at most once while the registry stays as it is. Says nothing about whether a token is active. */
export interface TokenVerifier {
  /** Verifies an access token, or says that the text is opaque. Times are not checked: an expired token can be revoked. */
  identify(tenant: Tenant, text: string): Promise<TokenIdentity>;
  /** Returns an earlier verification if registry and keys have not changed since. `digest` is the SHA-256 of the text. */
  remembered(tenant: Tenant, digest: string, use: TokenUse): VerifiedJwt | undefined;
  /** Undefined when it does not verify as what `use` asks for. */
  verify(tenant: Tenant, jws: CompactJws, digest: string, use: TokenUse): Promise<VerifiedJwt | undefined>;
  /** Needs no signature: the first source that speaks for the issuer and would write such a header. */
  plausibleSource(tenant: Tenant, jws: CompactJws, use: TokenUse): Source | undefined;
  /** Whether sources speak for the issuer and none of them takes the algorithm: nobody can verify the JWT, and it is looked up like an opaque text. */
  isOpaque(tenant: Tenant, jws: CompactJws): boolean;
  /** The key that the facts of a JWT are recorded under, by its own claims. Undefined for claims of the wrong type. */
  keyOf(tenant: Tenant, jws: CompactJws, use: TokenUse): RuleKey | undefined;
}

export interface TokenVerifierOptions {
  readonly state: ControlState;
  readonly keySets: KeySets;
  /** Texts of access tokens whose verification is remembered; beyond it one that was not asked about for long is verified again. */
  readonly maxTokens?: number | undefined;
}

export function createTokenVerifier({
  state,
  keySets,
  maxTokens = DEFAULT_MAX_TOKENS,
}: TokenVerifierOptions): TokenVerifier {
  const goodTokens = createSecondChance<Remembered>({ max: maxTokens });
  const goodIdJags = createSecondChance<Remembered>({ max: MAX_REMEMBERED_ID_JAGS });
  const goodOf = (use: TokenUse): SecondChance<Remembered> => (use === 'id-jag' ? goodIdJags : goodTokens);
  const forged = new LRUCache<string, true>({ max: MAX_REMEMBERED_FORGERIES, ttl: FORGERY_MEMORY_MS });
  const shared = createSharer<CommonStatement>({ max: maxTokens });
  const sources = createIssuerSources(state);
  const underWay = new Map<string, Promise<Verification>>();
  let registryVersion = state.registryVersion;
  let keysVersion = keySets.version;

  /** A change of a source, its keys or its profile: nothing that was verified before counts any more. */
  function dropStale(): void {
    if (registryVersion === state.registryVersion) return;
    registryVersion = state.registryVersion;
    goodTokens.clear();
    goodIdJags.clear();
    forged.clear();
    underWay.clear();
    sources.forget();
  }

  /** A fetched set that changed may hold another key under the `kid` that refused a text. */
  function isForged(name: string): boolean {
    if (keysVersion !== keySets.version) {
      keysVersion = keySets.version;
      forged.clear();
    }
    return forged.has(name);
  }

  async function verifyAnew({ tenant, jws, digest, use, identity }: Unverified): Promise<Verification> {
    const version = registryVersion;
    const keysAtStart = keySets.version;
    let lacksKey = false;
    for (const source of sources.of(tenant, jws.claims['iss'])) {
      if (!suits(jws.header, source, use)) continue;
      const { alg, kid } = jws.header as { alg: string; kid?: string };
      const keys = await keySets.find(source, { alg, kid });
      lacksKey ||= keys.length === 0;
      for (const key of keys) {
        if (!(await verifySignature(alg, key.key, jws))) continue;
        const verified = read(identity, jws, source, use);
        if (version === registryVersion) goodOf(use).set(digest, { verified, key, tenant: tenant.id, asked: false });
        return verified;
      }
    }
    if (lacksKey) return 'no-key';
    // A set that was fetched meanwhile may hold another key.
    if (version === registryVersion && keysAtStart === keySets.version) forged.set(nameOf(tenant, digest, use), true);
    return 'refused';
  }

  async function check(tenant: Tenant, jws: CompactJws, digest: string, use: TokenUse): Promise<Verification> {
    const identity = keyOf(tenant, jws, use);
    if (identity === undefined) return 'refused';
    const known = verifier.remembered(tenant, digest, use);
    if (known) return known;
    const name = nameOf(tenant, digest, use);
    if (isForged(name)) return 'refused';
    const started = underWay.get(name) ?? verifyAnew({ tenant, jws, digest, use, identity });
    underWay.set(name, started);
    try {
      return await started;
    } finally {
      if (underWay.get(name) === started) underWay.delete(name);
    }
  }

  /** Sources of one issuer that take the same JWTs must name the same claims; the first counts. */
  const identityOf = (tenant: Tenant, jws: CompactJws): readonly string[] =>
    (plausibleSource(tenant, jws, 'access-token')?.profile ?? DEFAULT_TOKEN_PROFILE).identity;

  function plausibleSource(tenant: Tenant, jws: CompactJws, use: TokenUse): Source | undefined {
    dropStale();
    return sources.plausible(tenant, jws, use);
  }

  function keyOf(tenant: Tenant, jws: CompactJws, use: TokenUse): RuleKey | undefined {
    const { iss } = jws.claims;
    const name = readIdentity(jws.claims, use === 'id-jag' ? ['jti'] : identityOf(tenant, jws));
    if (typeof iss !== 'string' || name === CONTRADICTION) return undefined;
    return ruleKey(
      tenant.key,
      use === 'id-jag' ? 'id_jag' : 'token',
      name === undefined ? [sha256(jws.signingInput)] : [iss, name],
    );
  }

  function read(key: RuleKey, jws: CompactJws, source: Source, use: TokenUse): VerifiedJwt {
    const { claims } = jws;
    const begins = [claims['iat'], claims['nbf']].map((time) =>
      time === undefined ? -Infinity : typeof time === 'number' ? time : Infinity,
    );
    const verified = { key, source, begins: Math.max(...begins), statement: undefined };
    if (use === 'id-jag') return { ...verified, idJag: { claims, spellings: spellings(jws).map(sha256) } };
    return { ...verified, statement: readStatement(claims, source.profile, shared) };
  }

  function isOpaque(tenant: Tenant, jws: CompactJws): boolean {
    dropStale();
    return sources.nobodyTakes(tenant, jws);
  }

  const nameOf = (tenant: Tenant, digest: string, use: TokenUse): string => `${use}|${tenant.id}|${digest}`;

  const verifier: TokenVerifier = {
    remembered(tenant, digest, use) {
      dropStale();
      const good = goodOf(use);
      const held = good.get(digest);
      if (held?.tenant !== tenant.id) return undefined;
      if (keySets.holds(held.verified.source, held.key)) return held.verified;
      good.delete(digest);
      return undefined;
    },
    async verify(tenant, jws, digest, use) {
      const verification = await check(tenant, jws, digest, use);
      return typeof verification === 'string' ? undefined : verification;
    },
    plausibleSource,
    isOpaque,
    keyOf,
    async identify(tenant, text) {
      const jws = parseCompactJws(text);
      const digest = sha256(text);
      if (!jws || isOpaque(tenant, jws)) return { kind: 'opaque', sha256: digest };
      const verification = await check(tenant, jws, digest, 'access-token');
      if (typeof verification === 'string')
        return { kind: verification === 'refused' && sources.awaitsKeys(tenant, jws) ? 'no-key' : verification };
      const client = readClient(jws.claims, verification.source.profile);
      if (client === CONTRADICTION) return { kind: 'refused' };
      return {
        kind: 'jwt',
        iss: jws.claims['iss'] as string,
        jti: readIdentity(jws.claims, identityOf(tenant, jws)) as string | undefined,
        signing_input_sha256: sha256(jws.signingInput),
        client_id: client,
      };
    },
  };
  return verifier;
}

/** Outcome of checking a signature. `no-key`: a source may have made it, and has no key that fits now. */
type Verification = VerifiedJwt | 'refused' | 'no-key';

interface Remembered {
  readonly tenant: string;
  readonly verified: VerifiedJwt;
  readonly key: VerificationKey;
  asked: boolean;
}

interface Unverified {
  readonly tenant: Tenant;
  readonly jws: CompactJws;
  readonly digest: string;
  readonly use: TokenUse;
  /** The stated identity as a rule key. */
  readonly identity: RuleKey;
}

/** The first of the claims that is present. Undefined where none is: the signing input identifies the JWT (design, section 2). */
export function readIdentity(claims: Claims, names: readonly string[]): string | undefined | typeof CONTRADICTION {
  const value = names.map((name) => claims[name]).find((one) => one !== undefined);
  return value === undefined || (typeof value === 'string' && value !== '') ? value : CONTRADICTION;
}
