import { LRUCache } from 'lru-cache';
import { ID_JAG_TYP } from '../contracts/index.js';
import type { ControlState, Source, Tenant } from '../control/index.js';
import { ruleKey, type RuleKey, type TokenKeys } from '../rules/index.js';
import type { Facts } from './facts.js';
import { isTyp, type Claims, type CompactJws } from './jws.js';
import { agrees, audienceOf, type KnownToken } from './known-token.js';
import { withSkew } from './lineage.js';
import type { Refusal } from './outcomes.js';
import { hasBegun, jwsOf, maySee, MAX_LINEAGE_AGE, type Examination, type Gathered, type Question } from './question.js';
import { jwtKey, type TokenVerifier, type VerifiedJwt } from './token-verifier.js';

/** Seconds around its `iat` in which a verified JWT that is not recorded yet is waited for. */
const FRESH = 60;

/** Digests of opaque tokens whose rule key is remembered. */
const MAX_OPAQUE_KEYS = 200_000;

/** Says what speaks against an access or refresh token. Pure over what is in memory; the lease is the asker's to check. */
export type ExamineToken = (question: Question, gathered: Gathered) => Examination;

export interface TokenExaminerOptions {
  readonly state: ControlState;
  readonly facts: Facts;
  readonly verifier: TokenVerifier;
}

export function createTokenExaminer({ state, facts, verifier }: TokenExaminerOptions): ExamineToken {
  const opaqueKeys = new LRUCache<string, { readonly tenant: string; readonly key: RuleKey }>({ max: MAX_OPAQUE_KEYS });
  const keysNow = createKeysNow(state);
  const agreed = new WeakMap<VerifiedJwt, KnownToken>();

  function examine(question: Question, gathered: Gathered): Examination {
    const presented = identify(question, gathered);
    if (typeof presented === 'string') return { refusal: presented };
    const token = facts.remembered(question.tenant, presented.key) ?? gathered.token;
    if (token === undefined) return { need: { what: 'token', key: presented.key } };
    if (token === null) return examineUnseen('unknown', question, gathered, presented);

    const refusal = refuseByFacts(question, token, presented);
    if (refusal === 'lineage-incomplete') return examineUnseen(refusal, question, gathered, presented);
    if (refusal) return { refusal };
    if (presented.jws) return verifyNext(question, gathered, presented.jws);
    if (presented.verified && !matches(presented.verified, token)) return { refusal: 'mismatch' };
    if (presented.verified && !hasBegun(presented.verified.claims, question.now, presented.verified.source.profile.skew)) {
      return { refusal: 'not-yet-valid' };
    }
    // Random texts must not push out those of real tokens.
    if (presented.isNew === true) opaqueKeys.set(question.digest, { tenant: question.tenant.id, key: presented.key });
    return { body: token.body };
  }

  /** What the text is and what its facts are recorded under: nothing here believes it yet. */
  function identify(question: Question, gathered: Gathered): Presented | Refusal {
    const { tenant, text, digest } = question;
    const verified = text.includes('.') ? verifier.remembered(tenant, digest, 'access-token') : undefined;
    if (verified) return { key: verified.key, verified };
    const opaque = opaqueKeys.get(digest);
    if (opaque?.tenant === tenant.id) return { key: opaque.key };
    const jws = jwsOf(question, gathered);
    if (!jws) return { key: ruleKey(tenant.key, 'token', [digest]), isNew: true };
    if (isTyp(jws.header['typ'], ID_JAG_TYP)) return 'wrong-kind';
    const key = jwtKey(tenant, jws, 'access-token');
    return key === undefined ? 'malformed' : { key, jws };
  }

  function refuseByFacts(question: Question, token: KnownToken, { verified, jws }: Presented): Refusal | undefined {
    const { tenant, now } = question;
    if (!maySee(question, token.iss, token.audience)) return 'not-allowed';
    // The signing input of a JWT without `jti` is no opaque token, though a bare digest finds both.
    if ((token.identity === 'sha256') !== (verified === undefined && jws === undefined)) return 'wrong-kind';
    const source = state.source(token.source);
    if (!source || source.tenant !== tenant.id || source.disabled || !source.issuers.includes(token.iss)) return 'source-refused';
    return refuseByTime(token, source, now) ?? refuseByLineage(token, source) ?? refuseByRules(question, token);
  }

  function refuseByRules({ tenant, now }: Question, token: KnownToken): Refusal | undefined {
    const keys = keysNow(token, tenant);
    if (!keys) return 'too-many-values';
    if (now - keys.grantedAt > MAX_LINEAGE_AGE) return 'lineage-too-old';
    return tenant.rules.findStopping(keys, now) ? 'stopped-by-rule' : undefined;
  }

  /** Look up before verifying: only what may just have been issued is worth a signature, and only a good one a wait. */
  function examineUnseen(otherwise: Refusal, question: Question, gathered: Gathered, { key, verified, jws }: Presented): Examination {
    if (!verified && !jws) return question.role.wait === true ? { need: { what: 'time', key, otherwise } } : { refusal: otherwise };
    const claims = verified?.claims ?? jws!.claims;
    if (!isFresh(claims, question)) return { refusal: otherwise };
    return jws ? verifyNext(question, gathered, jws) : { need: { what: 'time', key, otherwise } };
  }

  function verifyNext({ tenant }: Question, { unverified }: Gathered, jws: CompactJws): Examination {
    if (unverified === true || !verifier.isPlausible(tenant, jws, 'access-token')) return { refusal: 'unverified' };
    return { need: { what: 'signature', jws, use: 'access-token' } };
  }

  /** Both sides are immutable, so a pair is compared once. */
  function matches(verified: VerifiedJwt, token: KnownToken): boolean {
    if (agreed.get(verified) === token) return true;
    if (!agrees(verified.claims, token)) return false;
    agreed.set(verified, token);
    return true;
  }

  return examine;
}

interface Presented {
  readonly key: RuleKey;
  /** A JWT that was verified before. */
  readonly verified?: VerifiedJwt;
  /** A JWT that was not. */
  readonly jws?: CompactJws;
  /** An opaque token whose key was computed for this question. */
  readonly isNew?: boolean;
}

function refuseByTime({ kind, iat, exp }: KnownToken, { profile }: Source, now: number): Refusal | undefined {
  if (iat > now + profile.skew) return 'not-yet-valid';
  // A refresh token is bounded by the age of its lineage alone (design, section 4).
  if (exp === undefined) return kind === 'refresh' ? undefined : 'expired';
  if (now >= exp) return 'expired';
  return kind === 'access' && exp - iat > profile.max_token_lifetime ? 'lifetime-too-long' : undefined;
}

function refuseByLineage({ lineage }: KnownToken, { profile }: Source): Refusal | undefined {
  if (lineage.conflict) return 'conflict';
  if (lineage.broken) return 'lineage-broken';
  if (lineage.contradictory) return 'lineage-contradictory';
  if (!lineage.parentsKnown) return 'lineage-incomplete';
  switch (profile.lineage) {
    case 'none':
      return undefined;
    case 'stated':
      return lineage.hasIdJag ? undefined : 'lineage-missing';
    case 'confirmed':
      if (!lineage.hasIdJag) return 'lineage-missing';
      return lineage.idJagsKnown ? undefined : 'lineage-incomplete';
    default:
      return 'lineage-missing';
  }
}

function isFresh(claims: Claims, question: Question): boolean {
  const { iss, iat, exp } = claims;
  return (
    typeof iss === 'string' &&
    maySee(question, iss, audienceOf(claims)) &&
    typeof iat === 'number' &&
    Math.abs(question.now - iat) <= FRESH &&
    typeof exp === 'number' &&
    question.now < exp
  );
}

/** A token's keys with the skew of today's registry, computed once a change of it. */
function createKeysNow(state: ControlState): (token: KnownToken, tenant: Tenant) => TokenKeys | undefined {
  let version = state.registryVersion;
  let known = new WeakMap<KnownToken, TokenKeys>();
  return (token, tenant) => {
    if (!token.keys) return undefined;
    if (version !== state.registryVersion) {
      version = state.registryVersion;
      known = new WeakMap();
    }
    let keys = known.get(token);
    if (!keys) known.set(token, (keys = withSkew(token.keys, state, tenant, token.clocks)));
    return keys;
  };
}
