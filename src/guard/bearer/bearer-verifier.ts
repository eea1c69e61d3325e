import { createHash } from 'node:crypto';
import { ACCESS_TOKEN_HINT } from '../../contracts/index.js';
import type { Answer, TokenClaims } from '../answer.js';
import { createChallenges, type Refusal, type Scheme } from './challenge.js';
import { createProofVerifier, type DpopOptions } from './dpop.js';
import type { Guard } from '../guard.js';

/** Options of `createBearerVerifier`. */
export interface VerifierOptions {
  readonly guard: Pick<Guard, 'check'>;
  /** This resource's identifiers (RFC 8707); a token's `aud` must contain one of them. */
  readonly audience: string | readonly string[];
  /** Sent with every challenge (RFC 9110, 11.5). */
  readonly realm?: string;
  /** URL of the protected resource metadata (RFC 9728), sent with every challenge. */
  readonly resourceMetadata?: string;
  /** Checks of DPoP proofs (RFC 9449). Without this option, tokens bound to a DPoP key are refused. */
  readonly dpop?: DpopOptions;
}

/** The parts of a request that a verifier reads. */
export interface PresentedRequest {
  readonly authorization: string | undefined;
  readonly dpop?: string | readonly string[] | undefined;
  readonly method: string;
  /** Request target as it came: path and query. */
  readonly url: string;
  /**
   * Returns the DER of the certificate that the client proved to hold in the TLS handshake (RFC 8705). Called only for a token bound to a
   * certificate.
   */
  readonly certificate?: () => Uint8Array | undefined;
}

/** The request may be served. `scopes` are all scopes of the token. */
export interface Allowed {
  readonly allowed: true;
  readonly token: string;
  readonly claims: TokenClaims;
  readonly scopes: readonly string[];
  /** Headers to send with the response, whatever the response is. Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A refusal. For the usage report it has `token` if Rescind has recorded the token, and `claims` if the token is active. */
export type Refused = Refusal & { readonly token?: string; readonly claims?: TokenClaims };

/** Result of a verification: serve the request, or send the refusal. */
export type Verdict = Allowed | Refused;

/**
 * Decides whether a request may be served. Checks credentials (RFC 6750, RFC 9449), the token's state, audience, binding and scopes, in
 * this order.
 */
export interface BearerVerifier {
  /**
   * Verifies a request; all of `scopes` are required. Returns a verdict at once if the guard answers from memory and the token is not bound
   * to a DPoP key, else a promise.
   */
  verify(request: PresentedRequest, scopes?: readonly string[]): Verdict | Promise<Verdict>;
}

interface Credentials {
  readonly scheme: Scheme;
  readonly token: string;
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});
const NO_SCOPES: readonly string[] = [];

/**
 * Creates a verifier. Throws `TypeError` for an empty `audience`, since a missing audience would be one that is never checked, and for
 * wrong DPoP options.
 */
export function createBearerVerifier({
  guard,
  audience,
  realm,
  resourceMetadata,
  dpop,
}: VerifierOptions): BearerVerifier {
  const audiences = typeof audience === 'string' ? [audience] : [...audience];
  if (audiences.length === 0 || audiences.includes('')) throw new TypeError('`audience` must name this resource');
  const proofs = dpop === undefined ? undefined : createProofVerifier(dpop);
  const challenges = createChallenges({ realm, resourceMetadata, algorithms: proofs?.algorithms });

  function verify(request: PresentedRequest, scopes: readonly string[] = NO_SCOPES): Verdict | Promise<Verdict> {
    const presented = credentialsOf(request.authorization, proofs !== undefined);
    if (presented === undefined) return challenges.noCredentials(scopes);
    if (presented === 'malformed')
      return challenges.refuse('Bearer', 'invalid_request', 'the Authorization header is malformed');
    const answer = guard.check(presented.token, ACCESS_TOKEN_HINT);
    return answer instanceof Promise
      ? answer.then((later) => decide(request, presented, later, scopes))
      : decide(request, presented, answer, scopes);
  }

  function decide(
    request: PresentedRequest,
    { scheme, token }: Credentials,
    answer: Answer,
    scopes: readonly string[],
  ): Verdict | Promise<Verdict> {
    if (answer.state === 'unavailable') return challenges.unavailable(answer.retryAfter);
    if (answer.state !== 'active') {
      const refused = challenges.refuse(scheme, 'invalid_token', 'the token is not active');
      // Anybody can make up a token that nobody recorded. Its refusal is no evidence, and would fill the ledger.
      return answer.recorded ? { ...refused, token } : refused;
    }
    const { claims } = answer;
    const refuse = (why: string): Refused => ({ ...challenges.refuse(scheme, 'invalid_token', why), token, claims });
    if (!isFor(audiences, claims)) return refuse('the token is for another resource');
    const bound = bindingOf(claims);
    if (bound === undefined) return refuse('the token is bound in a way that this server cannot check');
    if (bound.x5t !== undefined && !isThumbprint(request.certificate?.(), bound.x5t))
      return refuse('the token is bound to another certificate');
    const allow = (headers: Readonly<Record<string, string>>): Verdict =>
      allowed({ scheme, token }, claims, scopes, headers);
    if (bound.jkt === undefined)
      return scheme === 'DPoP' ? refuse('the token is not bound to a key') : allow(NO_HEADERS);
    if (proofs === undefined) return refuse('the token is bound in a way that this server cannot check');
    // RFC 9449, 7.1: accepting a bound token without the proof would make it a bearer token.
    if (scheme !== 'DPoP') return refuse('the token is bound to a key: use the scheme DPoP');
    return proven(request, token, claims, bound.jkt, allow);
  }

  async function proven(
    request: PresentedRequest,
    token: string,
    claims: TokenClaims,
    jkt: string,
    allow: (headers: Readonly<Record<string, string>>) => Verdict,
  ): Promise<Verdict> {
    // RFC 9449, 4.3: not more than one. Node joins repeated headers with a comma, which no proof contains.
    if (typeof request.dpop === 'object' || request.dpop?.includes(',')) {
      return { ...challenges.refuse('DPoP', 'invalid_request', 'more than one DPoP header'), token, claims };
    }
    const verdict = await proofs!.verify({ proof: request.dpop, token, jkt, method: request.method, url: request.url });
    if (verdict.ok) return allow(nonceHeader(verdict.nonce));
    if (verdict.error === 'full') return challenges.unavailable(1);
    return { ...challenges.refuse('DPoP', verdict.error, verdict.why, [], nonceHeader(verdict.nonce)), token, claims };
  }

  function allowed(
    { scheme, token }: Credentials,
    claims: TokenClaims,
    scopes: readonly string[],
    headers: Readonly<Record<string, string>>,
  ): Verdict {
    const granted = claims.scope === undefined || claims.scope === '' ? NO_SCOPES : claims.scope.split(' ');
    for (const scope of scopes) {
      if (!granted.includes(scope)) {
        return {
          ...challenges.refuse(scheme, 'insufficient_scope', 'the token lacks a scope', scopes, headers),
          token,
          claims,
        };
      }
    }
    return { allowed: true, token, claims, scopes: granted, headers };
  }

  return { verify };
}

/** Syntax of a token (RFC 6750, 2.1). */
const TOKEN68 = /^[\w.~+/-]+=*$/;

function credentialsOf(authorization: string | undefined, takesDpop: boolean): Credentials | 'malformed' | undefined {
  if (authorization === undefined) return undefined;
  const space = authorization.indexOf(' ');
  const name = (space === -1 ? authorization : authorization.slice(0, space)).toLowerCase();
  const scheme = name === 'bearer' ? 'Bearer' : name === 'dpop' && takesDpop ? 'DPoP' : undefined;
  // Credentials of another scheme count as none.
  if (scheme === undefined) return undefined;
  const token = space === -1 ? '' : authorization.slice(space + 1).trim();
  return TOKEN68.test(token) ? { scheme, token } : 'malformed';
}

function isFor(audiences: readonly string[], { aud }: TokenClaims): boolean {
  if (typeof aud === 'string') return audiences.includes(aud);
  return Array.isArray(aud) && aud.some((one: unknown) => typeof one === 'string' && audiences.includes(one));
}

/**
 * Reads the token's binding. Undefined for a binding of another kind or a wrong form, because a binding that cannot be checked must not be
 * accepted.
 */
function bindingOf({ cnf }: TokenClaims): { readonly jkt?: string; readonly x5t?: string } | undefined {
  if (cnf === undefined) return {};
  if (typeof cnf !== 'object' || cnf === null) return undefined;
  const { jkt, 'x5t#S256': x5t, ...others } = cnf as Record<string, unknown>;
  if (Object.keys(others).length > 0 || (jkt === undefined && x5t === undefined)) return undefined;
  if ((jkt !== undefined && typeof jkt !== 'string') || (x5t !== undefined && typeof x5t !== 'string'))
    return undefined;
  return { ...(jkt === undefined ? {} : { jkt }), ...(x5t === undefined ? {} : { x5t }) };
}

/** Compares a certificate with a thumbprint (RFC 8705, 3.1). */
function isThumbprint(certificate: Uint8Array | undefined, thumbprint: string): boolean {
  return certificate !== undefined && createHash('sha256').update(certificate).digest('base64url') === thumbprint;
}

const nonceHeader = (nonce: string | undefined): Readonly<Record<string, string>> =>
  nonce === undefined ? NO_HEADERS : { 'dpop-nonce': nonce };
