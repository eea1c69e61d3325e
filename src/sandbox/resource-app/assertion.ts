import { compactVerify, decodeJwt, decodeProtectedHeader, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { ID_JAG_TYP } from '../../contracts/index.js';
import type { ReplayGuard } from './replay-guard.js';

/** RS256 is mandatory to implement for RFC 7523 grants (ID-JAG draft, section 5); `none` and HMAC are not allowed. */
const ALLOWED_ALGORITHMS = ['ES256', 'RS256'];
/** Tolerated difference between two organisations' clocks, in seconds. */
const CLOCK_SKEW_SECONDS = 5;
/** RFC 7523, section 3, item 4 lets a server refuse an `exp` that is too far away; Okta and Keycloak use the same limit. */
const MAX_LIFETIME_SECONDS = 300;

export type RefusalError = 'invalid_request' | 'invalid_grant' | 'access_denied' | 'temporarily_unavailable';

/** Why an ID-JAG was refused. `reason` is for the event and the operator; the client gets only `error`. */
export class AssertionRefused extends Error {
  override readonly name = 'AssertionRefused';
  readonly error: RefusalError;
  readonly reason: string;

  constructor(error: RefusalError, reason: string) {
    super(`${error}: ${reason}`);
    this.error = error;
    this.reason = reason;
  }
}

export interface Account {
  /** The identity provider and its name for the user. */
  readonly iss: string;
  readonly sub: string;
  /** This application's own name for the user. */
  readonly local: string;
  readonly suspended?: boolean;
}

/** The facts that the resource authorization server knows before an assertion comes. */
export interface AssertionPolicy {
  readonly issuer: string;
  readonly resource: string;
  readonly scopes: readonly string[];
  readonly accounts: readonly Account[];
  /** Returns the keys of an identity provider that is trusted for this client; undefined if the provider is not trusted. */
  trustedKeys(issuer: string, clientId: string): JWTVerifyGetKey | undefined;
  readonly replay: ReplayGuard;
}

export interface VerifiedIdJag {
  readonly claims: IdJagClaims;
  readonly account: Account;
  /** The ID-JAG's scopes that this application offers. */
  readonly scopes: readonly string[];
}

export interface IdJagClaims extends JWTPayload {
  readonly iss: string;
  readonly sub: string;
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
  readonly client_id: string;
}

/**
 * Runs every check of RFC 7523 and the ID-JAG draft, section 4.4.1, that needs no other party, in the order in which claims may be trusted.
 * Throws `AssertionRefused`. On success the ID-JAG counts as used.
 */
export async function verifyAssertion(
  assertion: string,
  clientId: string,
  policy: AssertionPolicy,
  now = Date.now(),
): Promise<VerifiedIdJag> {
  mustHaveAcceptableHeader(assertion);
  const unverified = readUnverified(assertion);
  const keys = policy.trustedKeys(String(unverified.iss), clientId) ?? refuse('issuer is not trusted for this client');
  const claims = await mustBeSigned(assertion, keys);
  mustBeAddressedTo(policy.issuer, claims);
  mustBeTimely(claims, Math.floor(now / 1000));
  if (claims['client_id'] !== clientId) refuse('client_id is another client');
  if (typeof claims.sub !== 'string' || claims.sub === '') refuse('sub is missing');
  if (typeof claims.jti !== 'string' || claims.jti === '') refuse('jti is missing');
  const idJag = claims as IdJagClaims;
  if (!policy.replay.use(idJag)) refuse('replay');
  // ID-JAG draft, section 8.6: a bound ID-JAG needs a proof of possession, and this server accepts none.
  if (claims['cnf'] !== undefined) refuse('cnf without proof of possession');
  const scopes = mustFitResource(claims, policy);
  const account =
    policy.accounts.find(({ iss, sub }) => iss === idJag.iss && sub === idJag.sub) ??
    refuse('no account for this subject');
  if (account.suspended) throw new AssertionRefused('access_denied', 'account is suspended');
  return { claims: idJag, account, scopes };
}

function refuse(reason: string): never {
  throw new AssertionRefused('invalid_grant', reason);
}

function mustHaveAcceptableHeader(assertion: string): void {
  let header: { alg?: unknown; typ?: unknown };
  try {
    header = decodeProtectedHeader(assertion);
  } catch {
    return refuse('not a compact JWS');
  }
  if (assertion.split('.').length !== 3) refuse('not a compact JWS');
  if (typeof header.alg !== 'string' || !ALLOWED_ALGORITHMS.includes(header.alg)) refuse('alg is not allowed');
  // RFC 8725, section 3.11: an ID token or an access token of the same issuer must not pass for an ID-JAG.
  if (header.typ !== ID_JAG_TYP) refuse('typ is not that of an ID-JAG');
}

/** Reads the payload only for `iss`, which selects the keys that then verify the rest. */
function readUnverified(assertion: string): JWTPayload {
  try {
    return decodeJwt(assertion);
  } catch {
    return refuse('payload is not a JSON object');
  }
}

async function mustBeSigned(assertion: string, keys: JWTVerifyGetKey): Promise<JWTPayload> {
  try {
    const { payload } = await compactVerify(assertion, keys, { algorithms: ALLOWED_ALGORITHMS });
    return JSON.parse(Buffer.from(payload).toString('utf8')) as JWTPayload;
  } catch {
    return refuse('signature does not verify');
  }
}

function mustBeAddressedTo(issuer: string, { aud }: JWTPayload): void {
  const audiences = typeof aud === 'string' ? [aud] : aud;
  // ID-JAG draft, section 4.4.1: exactly one audience, so that one ID-JAG is good at one server only.
  if (!Array.isArray(audiences) || audiences.length !== 1 || audiences[0] !== issuer)
    refuse('aud is not this server alone');
}

function mustBeTimely({ exp, iat, nbf }: JWTPayload, now: number): void {
  if (typeof exp !== 'number' || exp + CLOCK_SKEW_SECONDS <= now) refuse('expired, or no exp');
  if (typeof iat !== 'number' || iat - CLOCK_SKEW_SECONDS > now) refuse('issued in the future, or no iat');
  if (nbf !== undefined && (typeof nbf !== 'number' || nbf - CLOCK_SKEW_SECONDS > now)) refuse('not yet valid');
  if (exp - iat > MAX_LIFETIME_SECONDS) refuse('lifetime is too long');
}

function mustFitResource(claims: JWTPayload, { resource, scopes }: AssertionPolicy): readonly string[] {
  const resources = claims['resource'] === undefined ? [resource] : [claims['resource']].flat();
  if (resources.length === 0 || resources.some((value) => value !== resource)) refuse('resource is not of this server');
  const asked = typeof claims['scope'] === 'string' ? claims['scope'].split(' ').filter((scope) => scope !== '') : [];
  const granted = asked.filter((scope) => scopes.includes(scope));
  if (granted.length === 0) refuse('scope does not fit the resource');
  return granted;
}
