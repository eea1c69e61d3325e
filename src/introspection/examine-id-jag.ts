import type { ControlState } from '../control/index.js';
import type { IdJagIssued } from '../contracts/index.js';
import type { StoredLineage } from '../projections/index.js';
import { MAX_LINEAGE_AGE_S, type IdJagFacts } from '../rules/index.js';
import { audienceOf, type Claims } from './facts/claims.js';
import { clocksOf, NO_CLOCKS, skewOf, stopKeys, summarize } from './facts/lineage.js';
import type { Refusal } from './outcomes.js';
import { jwsOf, maySee, type Examination, type Gathered, type Question } from './question.js';
import type { TokenVerifier, VerifiedJwt } from './jwt/token-verifier.js';

/**
 * Says what speaks against an ID-JAG that the RAS in its `aud` is about to redeem (open question B9). It need not have
 * been recorded: its verified claims are its facts, and what is recorded of it comes on top.
 */
export type ExamineIdJag = (question: Question, gathered: Gathered) => Examination;

export function createIdJagExaminer({
  state,
  verifier,
}: {
  state: ControlState;
  verifier: TokenVerifier;
}): ExamineIdJag {
  return (question, gathered) => {
    const { tenant, digest } = question;
    const verified = verifier.remembered(tenant, digest, 'id-jag');
    const jws = verified ? undefined : jwsOf(question, gathered);
    const claims = verified?.idJag?.claims ?? jws?.claims;
    const idJag = claims && readIdJag(claims);
    if (!idJag) return { refusal: 'malformed' };
    if (!maySee(question, idJag.iss, idJag.aud)) return { refusal: 'not-allowed' };
    if (question.now >= idJag.exp) return { refusal: 'expired' };
    if (!verified) {
      if (gathered.unverified === true || !verifier.plausibleSource(tenant, jws!, 'id-jag'))
        return { refusal: 'unverified' };
      return { need: { what: 'signature', jws: jws!, use: 'id-jag' } };
    }
    if (gathered.idJag === undefined) return { need: { what: 'id-jag', key: verified.key } };

    const refusal =
      refuseByTime(idJag, verified, question.now) ??
      (gathered.idJag ? refuseByRecord(idJag, gathered.idJag) : undefined) ??
      refuseByRules(question, idJag, verified, gathered.idJag ?? undefined);
    if (refusal) return { refusal };
    const body = JSON.stringify({ ...claims, active: true });
    return { body, bytes: Buffer.byteLength(body) };
  };

  function refuseByRules(
    question: Question,
    idJag: ReadIdJag,
    verified: VerifiedJwt,
    recorded: StoredLineage | undefined,
  ): Refusal | undefined {
    const { tenant, now } = question;
    const presented = [idJag, ...verified.idJag!.spellings.map((sha256) => ({ iss: idJag.iss, sha256 }))];
    const keys = stopKeys(tenant, recorded, presented);
    if (!keys) return 'too-many-values';
    if (now - keys.grantedAt > MAX_LINEAGE_AGE_S) return 'lineage-too-old';
    const { sources, issuers } = recorded ? clocksOf(recorded) : NO_CLOCKS;
    const clocks = { sources: new Set([...sources, verified.source.id]), issuers: new Set([...issuers, idJag.iss]) };
    return tenant.rules.isStopped({ ...keys, skew: skewOf(state, tenant, clocks) }, now)
      ? 'stopped-by-rule'
      : undefined;
  }
}

function refuseByTime({ iat, exp }: ReadIdJag, { begins, source }: VerifiedJwt, now: number): Refusal | undefined {
  const { skew, max_token_lifetime: maxLifetime } = source.profile;
  if (begins > now + skew) return 'not-yet-valid';
  return exp - iat > maxLifetime ? 'lifetime-too-long' : undefined;
}

function refuseByRecord(idJag: ReadIdJag, recorded: StoredLineage): Refusal | undefined {
  const lineage = summarize(recorded);
  if (lineage.conflict) return 'conflict';
  if (lineage.broken) return 'lineage-broken';
  if (lineage.contradictory) return 'lineage-contradictory';
  if (!lineage.parentsKnown) return 'lineage-incomplete';
  return agrees(idJag, recorded.idJags[0]!.facts) ? undefined : 'mismatch';
}

const COMPARED = ['iss', 'jti', 'sub', 'tenant', 'aud_tenant', 'aud_sub', 'client_id', 'iat', 'exp'] as const;

function agrees(idJag: ReadIdJag, issued: IdJagIssued): boolean {
  return (
    COMPARED.every((member) => idJag[member] === issued[member]) &&
    issued.aud.length === 1 &&
    issued.aud[0] === idJag.aud[0]
  );
}

type ReadIdJag = IdJagFacts & {
  readonly jti: string;
  readonly sub: string;
  readonly client_id: string;
  readonly aud: readonly string[];
  readonly iat: number;
  readonly exp: number;
};

/** Claims by ID-JAG draft, section 3.1. Undefined where one is missing or of the wrong type: a rule on it could not match. */
function readIdJag(claims: Claims): ReadIdJag | undefined {
  const { iss, jti, sub, client_id: clientId, iat, exp, resource, agent } = claims;
  // Section 4.4.1: a string, or an array with exactly one element.
  const aud = audienceOf(claims);
  if (![iss, jti, sub, clientId].every(isName) || aud.length !== 1) return undefined;
  if (typeof iat !== 'number' || typeof exp !== 'number') return undefined;
  const { tenant, aud_tenant, aud_sub, sid, auth_time } = claims;
  if (![tenant, aud_tenant, aud_sub, sid].every((value) => value === undefined || isName(value))) return undefined;
  if (auth_time !== undefined && typeof auth_time !== 'number') return undefined;
  const resources = resource === undefined ? [] : audienceOf({ aud: resource });
  if (resource !== undefined && resources.length === 0) return undefined;
  return {
    iss,
    jti,
    sub,
    client_id: clientId,
    aud,
    resource: resources,
    tenant,
    aud_tenant,
    aud_sub,
    sid,
    iat,
    exp,
    auth_time,
    agent: readAgent(agent),
  } as ReadIdJag;
}

const isName = (value: unknown): boolean => typeof value === 'string' && value !== '';

function readAgent(agent: unknown): { id?: string; type?: string } | undefined {
  if (typeof agent !== 'object' || agent === null) return undefined;
  const { id, type } = agent as Record<string, unknown>;
  return { ...(typeof id === 'string' ? { id } : {}), ...(typeof type === 'string' ? { type } : {}) };
}
