import { canonicalJson, type TokenIssued } from '../contracts/index.js';
import type { Tenant } from '../control/index.js';
import type { StoredLineage } from '../projections/index.js';
import type { TokenKeys } from '../rules/index.js';
import { clocksOf, stopKeys, summarize, type Clocks, type LineageSummary } from './lineage.js';
import type { Claims } from './jws.js';

/** What is recorded of one token, as the decision needs it: computed once, with its facts. */
export interface KnownToken {
  readonly kind: TokenIssued['kind'];
  /** How it is identified: a text of another kind must not find these facts. */
  readonly identity: 'jti' | 'sha256' | 'signing_input_sha256';
  readonly iss: string;
  /** Id of the source that recorded it. */
  readonly source: string;
  /** Where it may be presented. */
  readonly audience: readonly string[];
  readonly iat: number;
  readonly exp: number | undefined;
  /** What its text has to say too. */
  readonly stated: StatedClaims;
  readonly lineage: LineageSummary;
  /** Without skew. Undefined when a dimension holds more than its bound: never active. */
  readonly keys: TokenKeys | undefined;
  readonly clocks: Clocks;
  /** The active answer. */
  readonly body: string;
}

interface StatedClaims {
  readonly jti: string | undefined;
  readonly sub: string | undefined;
  readonly client_id: string;
  readonly aud: readonly string[];
  readonly scope: readonly string[];
  /** RFC 8785 form. */
  readonly cnf: string | undefined;
}

export function knowToken(tenant: Tenant, lineage: StoredLineage): KnownToken {
  const stored = lineage.tokens[0]!;
  const { facts } = stored;
  return {
    kind: facts.kind,
    identity: facts.jti !== undefined ? 'jti' : facts.sha256 !== undefined ? 'sha256' : 'signing_input_sha256',
    iss: facts.iss,
    source: stored.source,
    // A refresh token is presented to the RAS that issued it, whatever its access tokens are for.
    audience: facts.kind === 'refresh' ? [facts.iss] : [...facts.aud, ...(facts.resource ?? [])],
    iat: facts.iat,
    exp: facts.exp,
    stated: {
      jti: facts.jti,
      sub: facts.sub,
      client_id: facts.client_id,
      aud: [...facts.aud].sort(),
      scope: scopeTokens(facts.scope),
      cnf: facts.cnf && canonicalJson(facts.cnf),
    },
    lineage: summarize(lineage),
    keys: stopKeys(tenant, lineage),
    clocks: clocksOf(lineage),
    body: JSON.stringify(activeAnswer(facts)),
  };
}

/** RFC 7662, section 2.2. `token_type` says how a resource server is to take it (RFC 6749, section 7.1): a refresh token has none. */
function activeAnswer(facts: TokenIssued): Record<string, unknown> {
  return {
    active: true,
    iss: facts.iss,
    sub: facts.sub,
    client_id: facts.client_id,
    aud: facts.aud.length === 1 ? facts.aud[0] : facts.aud,
    scope: facts.scope,
    ...(facts.kind === 'access' ? { token_type: facts.cnf?.jkt === undefined ? 'Bearer' : 'DPoP' } : {}),
    exp: facts.exp,
    iat: facts.iat,
    jti: facts.jti,
    cnf: facts.cnf,
    act: facts.act,
  };
}

/**
 * Whether a verified text says what was recorded of it. A token whose text and facts differ is somebody's mistake or
 * somebody's attack, and the answer must not choose between the two.
 */
export function agrees(claims: Claims, { iss, exp, stated }: KnownToken): boolean {
  return (
    claims['iss'] === iss &&
    claims['jti'] === stated.jti &&
    claims['sub'] === stated.sub &&
    claims['client_id'] === stated.client_id &&
    claims['exp'] === exp &&
    sameList(audienceOf(claims).toSorted(), stated.aud) &&
    (claims['scope'] === undefined || typeof claims['scope'] === 'string') &&
    sameList(scopeTokens(claims['scope']), stated.scope) &&
    sameConfirmation(claims['cnf'], stated.cnf)
  );
}

/** One string or several (RFC 7519, section 4.1.3); empty for anything else. */
export function audienceOf({ aud }: Claims): readonly string[] {
  if (typeof aud === 'string') return [aud];
  return Array.isArray(aud) && aud.every((value) => typeof value === 'string') ? aud : [];
}

/** The order of scopes says nothing (RFC 6749, section 3.3). */
const scopeTokens = (scope: string | undefined): readonly string[] => (scope === undefined || scope === '' ? [] : scope.split(' ').sort());

const sameList = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((value, at) => value === other[at]);

function sameConfirmation(claim: unknown, stated: string | undefined): boolean {
  if (claim === undefined || stated === undefined) return claim === stated;
  try {
    return canonicalJson(claim) === stated;
  } catch {
    return false;
  }
}
