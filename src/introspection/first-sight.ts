import { type CompactJws, sha256, type TokenSeen } from '../contracts/index.js';
import type { Source, Tenant } from '../control/index.js';
import { ruleKey, tokenParts, tokenRef, type RuleKey } from '../rules/index.js';
import { audienceOf, type Claims } from './facts/claims.js';
import { CONTRADICTION, readAudience, readClient } from './jwt/text-statement.js';
import { readIdentity } from './jwt/token-verifier.js';

/**
 * The facts that a JWT's text states, where its source lets tokens be recorded that no event announced; undefined where they are not enough. They
 * are those that a `token.issued` of the source would have. Says nothing about signature and times, and lets values through that no fact may have:
 * whoever records them checks them as it checks an event.
 */
export function readFirstSight(
  { claims, signingInput }: CompactJws,
  { id, resources, issuers, profile }: Source,
): TokenSeen | undefined {
  // A token that came from no ID-JAG could otherwise never be active.
  if (profile.announced !== 'optional' || profile.lineage.other !== 'none') return undefined;
  const { iss, iat, exp } = claims;
  if (typeof iss !== 'string' || !issuers.includes(iss) || typeof iat !== 'number' || typeof exp !== 'number')
    return undefined;
  const client = readClient(claims, profile);
  const name = readIdentity(claims, profile.identity);
  if (typeof client !== 'string' || name === CONTRADICTION) return undefined;
  const aud = readOwnAudience(claims, { resources, profile });
  // The audience of an ID token is its client (OpenID Connect Core, section 2).
  if (aud.length === 0 || audienceOf(claims).includes(client)) return undefined;
  const { sub, auth_time, sid, acr, amr, act, cnf } = claims;
  const identity = name === undefined ? { signing_input_sha256: sha256(signingInput) } : { jti: name };
  const stated = {
    source: id,
    iss,
    ...identity,
    sub,
    client_id: client,
    aud,
    scope: spellScope(claims),
    iat,
    exp,
    auth_time,
    sid,
    acr,
    amr,
    act,
    cnf,
  };
  return Object.fromEntries(Object.entries(stated).filter(([, value]) => value !== undefined)) as TokenSeen;
}

/** Returns the key under which the facts would be recorded. */
export const keyOfSight = ({ key }: Tenant, facts: TokenSeen): RuleKey =>
  ruleKey(key, 'token', tokenParts(tokenRef(facts)));

/** The resources of the source that `aud` names itself: a default resource says nothing, since an ID token would have it, too. */
function readOwnAudience(claims: Claims, { resources, profile }: Pick<Source, 'resources' | 'profile'>): string[] {
  const stated = readAudience(claims, profile);
  if (stated === undefined || stated === CONTRADICTION) return [];
  return [...new Set(audienceOf(claims))].filter((uri) => resources.includes(uri));
}

const spellScope = ({ scope, scp }: Claims): unknown => {
  const said = scope ?? scp;
  return Array.isArray(said) ? said.join(' ') : said;
};
