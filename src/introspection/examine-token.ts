import { type CompactJws, ID_JAG_TYP, type InactiveReason, isTyp, type TokenSeen } from '../contracts/index.js';
import { DEFAULT_TOKEN_PROFILE, type ControlState, type Source, type TokenProfile } from '../control/index.js';
import { MAX_LINEAGE_AGE_S, ruleKey, type RuleKey } from '../rules/index.js';
import type { Claims } from './facts/claims.js';
import type { Facts } from './facts/facts.js';
import { keyOfSight, readFirstSight } from './first-sight.js';
import { activeBody, type KnownToken } from './facts/known-token.js';
import { skewOf } from './facts/lineage.js';
import type { Refusal } from './outcomes.js';
import { jwsOf, maySee, type Examination, type Gathered, type Question } from './question.js';
import { differing, statedResources } from './jwt/text-statement.js';
import { takesTyp } from './jwt/issuer-sources.js';
import type { TokenVerifier, VerifiedJwt } from './jwt/token-verifier.js';

/** Seconds around its `iat` in which a verified JWT that is not recorded yet is waited for. */
const FRESH = 60;

/** Says what speaks against an access or refresh token. Pure over what is in memory; the lease is the asker's to check. */
export type ExamineToken = (question: Question, gathered: Gathered) => Examination;

export interface TokenExaminerOptions {
  readonly state: ControlState;
  readonly facts: Facts;
  readonly verifier: TokenVerifier;
  /** Whether this node can record tokens at first sight. */
  readonly recordsSights: boolean;
}

export function createTokenExaminer({ state, facts, verifier, recordsSights }: TokenExaminerOptions): ExamineToken {
  function examineOpaque(question: Question, gathered: Gathered): Examination {
    const { tenant, digest, role } = question;
    const known = facts.remembered(tenant, digest) ?? gathered.token;
    const refusal = known ? refuse(question, known, true) : 'unknown';
    // A token of another audience is waited for like one that is not recorded: the time it takes must not tell the two apart.
    const isAwaited = refusal === 'lineage-incomplete' || (refusal === 'not-allowed' && role.wait === true);
    if (known && !isAwaited) return refusal ? { refusal, known } : allow(known);

    const key = ruleKey(tenant.key, 'token', [digest]);
    if (known === undefined) return { need: { what: 'token', key, memoryKey: digest } };
    return role.wait === true
      ? { need: { what: 'time', key, memoryKey: digest, otherwise: refusal! } }
      : { refusal: refusal! };
  }

  function examineVerified(question: Question, gathered: Gathered, verified: VerifiedJwt): Examination {
    const { tenant, now } = question;
    const { key, statement, begins, source } = verified;
    const known = facts.remembered(tenant, key) ?? gathered.token;
    if (known === undefined) return needToken(key);
    if (!known) return examineUnrecorded(question, gathered, verified);
    const refusal = refuse(question, known, false);
    if (refusal === 'lineage-incomplete') {
      const isNew = isFresh(jwsOf(question, gathered)!.claims, source.profile, question);
      return isNew ? { need: { what: 'time', key, memoryKey: key, otherwise: refusal } } : { refusal };
    }
    if (refusal) return { refusal, known };
    const member = differing(statement, known, state.source(known.common.source)!);
    if (member) return { refusal: 'mismatch', known, about: { token: known, member } };
    return begins > now + source.profile.skew ? { refusal: 'not-yet-valid', known } : allow(known);
  }

  /** Its event may be on its way. Where its source asks for none, the token is recorded as its text states it, and judged by that. */
  function examineUnrecorded(
    question: Question,
    gathered: Gathered,
    { key, statement, begins, source }: VerifiedJwt,
  ): Examination {
    const jws = jwsOf(question, gathered)!;
    const sight = statement && sightOf(question, jws, source);
    if (gathered.waited !== true && isFresh(jws.claims, source.profile, question)) {
      return { need: { what: 'time', key, memoryKey: key, ...(sight ? {} : { otherwise: 'unknown' }) } };
    }
    // A token that two sources of one issuer would name differently belongs to neither.
    if (!sight || keyOfSight(question.tenant, sight) !== key) return { refusal: 'unknown' };
    if (gathered.recorded !== undefined) return { refusal: gathered.recorded ? 'unknown' : 'malformed' };
    const untimely =
      begins > question.now + source.profile.skew
        ? 'not-yet-valid'
        : refuseByTime({ ...sight, kind: 'access' }, source, question.now);
    return untimely ? { refusal: untimely } : { need: { what: 'record', key, memoryKey: key, facts: sight } };
  }

  /** Returns the facts to record at first sight, if this caller may see a token with these facts. */
  function sightOf(question: Question, jws: CompactJws, source: Source): TokenSeen | undefined {
    const sight = recordsSights ? readFirstSight(jws, source) : undefined;
    return sight && maySee(question, sight.iss, sight.aud) ? sight : undefined;
  }

  /** Look up before verifying: only what is recorded, may just have been issued, or may be recorded at first sight is worth a signature. */
  function examineUnverified(question: Question, gathered: Gathered, jws: CompactJws): Examination {
    const { tenant } = question;
    if (isTyp(jws.header['typ'], ID_JAG_TYP)) return { refusal: 'wrong-kind' };
    const key = verifier.keyOf(tenant, jws, 'access-token');
    if (key === undefined) return { refusal: 'malformed' };
    const known = facts.remembered(tenant, key) ?? gathered.token;
    if (known === undefined) return needToken(key);
    const refusal = known ? refuse(question, known, false) : 'unknown';
    const source = verifier.plausibleSource(tenant, jws, 'access-token');
    const mayBeOnItsWay = refusal === 'unknown' || refusal === 'lineage-incomplete';
    const isAwaited = mayBeOnItsWay && isFresh(jws.claims, source?.profile ?? DEFAULT_TOKEN_PROFILE, question);
    const sight = !known && source ? sightOf(question, jws, source) : undefined;
    const maySight =
      sight !== undefined && refuseByTime({ ...sight, kind: 'access' }, source!, question.now) === undefined;
    // Nobody has shown that the text is the token's: it is not `known`, and counts for nobody but those who run the source.
    if (refusal && !isAwaited && !maySight) return { refusal, ...(known ? { about: { token: known } } : {}) };
    if (source && gathered.unverified !== true) return { need: { what: 'signature', jws, use: 'access-token' } };
    return {
      refusal: 'unverified',
      ...(known
        ? {
            about: {
              token: known,
              member: takesTyp(state.source(known.common.source)!, jws.header) ? 'signature' : 'typ',
            },
          }
        : {}),
    };
  }

  /** Returns the refusal by the token's facts, whoever presents it and whatever its text says. */
  function refuse(question: Question, token: KnownToken, isOpaque: boolean): Refusal | undefined {
    const { atResource } = question;
    const { iss, audience, identity, kind } = token.common;
    if (!maySee(question, iss, audience)) return 'not-allowed';
    // The signing input of a JWT without `jti` is no opaque token, though a bare digest finds both.
    if ((identity === 'sha256') !== isOpaque) return 'wrong-kind';
    // A refresh token is for its RAS alone (RFC 6749, section 1.5): a guard would take it for access.
    if (atResource && kind === 'refresh') return 'wrong-kind';
    return refuseByFacts(state, question, token);
  }

  return (question, gathered) => {
    if (question.text.includes('.')) {
      const verified = verifier.remembered(question.tenant, question.digest, 'access-token');
      if (verified) return examineVerified(question, gathered, verified);
      const jws = jwsOf(question, gathered);
      if (jws && !verifier.isOpaque(question.tenant, jws)) return examineUnverified(question, gathered, jws);
    }
    return examineOpaque(question, gathered);
  };
}

const allow = (known: KnownToken): Examination => ({ body: activeBody(known), bytes: known.bytes, known });

const needToken = (key: RuleKey): Examination => ({ need: { what: 'token', key, memoryKey: key } });

/** The refusal by its facts, whoever asks. */
export function refuseByFacts(
  state: ControlState,
  { tenant, now }: Pick<Question, 'tenant' | 'now'>,
  token: KnownToken,
): InactiveReason | undefined {
  const { iss, source: id } = token.common;
  const source = state.source(id);
  if (!source || source.tenant !== tenant.id || source.disabled || !source.issuers.includes(iss))
    return 'source-refused';
  return (
    refuseByTime({ kind: token.common.kind, iat: token.iat, exp: token.exp }, source, now) ??
    refuseByLineage(token, source) ??
    refuseByRules(state, { tenant, now }, token)
  );
}

function refuseByRules(
  state: ControlState,
  { tenant, now }: Pick<Question, 'tenant' | 'now'>,
  token: KnownToken,
): InactiveReason | undefined {
  const { common, keys, commonKeys, grantedAt, authenticatedAt, seenSeq } = token;
  if (keys === undefined) return 'too-many-values';
  if (now - grantedAt > MAX_LINEAGE_AGE_S) return 'lineage-too-old';
  if (tenant.rules.size === 0) return undefined;
  if (common.skewVersion !== state.registryVersion) {
    common.skewVersion = state.registryVersion;
    common.skew = skewOf(state, tenant, common.clocks);
  }
  return tenant.rules.isStopped(
    { own: keys, common: commonKeys, grantedAt, authenticatedAt, seenSeq, skew: common.skew },
    now,
  )
    ? 'stopped-by-rule'
    : undefined;
}

interface TokenTimes {
  readonly kind: 'access' | 'refresh';
  readonly iat: number;
  readonly exp: number | undefined;
}

function refuseByTime({ kind, iat, exp }: TokenTimes, { profile }: Source, now: number): InactiveReason | undefined {
  if (iat > now + profile.skew) return 'not-yet-valid';
  // A refresh token is bounded by the age of its lineage alone (design, section 4).
  if (exp === undefined) return kind === 'refresh' ? undefined : 'expired';
  if (now >= exp) return 'expired';
  return kind === 'access' && exp - iat > profile.max_token_lifetime ? 'lifetime-too-long' : undefined;
}

function refuseByLineage({ common: { lineage } }: KnownToken, { profile }: Source): InactiveReason | undefined {
  if (lineage.conflict) return 'conflict';
  if (lineage.broken) return 'lineage-broken';
  if (lineage.contradictory) return 'lineage-contradictory';
  if (!lineage.parentsKnown) return 'lineage-incomplete';
  if (!lineage.hasIdJag) return profile.lineage.other === 'none' ? undefined : 'lineage-missing';
  switch (profile.lineage.id_jag) {
    case 'none':
      return undefined;
    case 'stated':
      return lineage.usersKnown ? undefined : 'lineage-incomplete';
    case 'confirmed':
      return lineage.idJagsKnown ? undefined : 'lineage-incomplete';
    default:
      return 'lineage-missing';
  }
}

/** Whether the token may have been issued so recently that its event is on its way, and is one that the caller may see. */
function isFresh(claims: Claims, profile: TokenProfile, question: Question): boolean {
  const { iss, iat, exp } = claims;
  return (
    typeof iss === 'string' &&
    maySee(question, iss, statedResources(claims, profile)) &&
    typeof iat === 'number' &&
    Math.abs(question.now - iat) <= FRESH &&
    typeof exp === 'number' &&
    question.now < exp
  );
}
