import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, decodeProtectedHeader, EmbeddedJWK, jwtVerify, type JWTPayload } from 'jose';
import { createNonces, type NonceOptions } from './dpop-nonce.js';
import { checkLimits } from '../../emit/index.js';
import { createProofMemory } from './proof-memory.js';

/** Options of the checks of DPoP proofs (RFC 9449). */
export interface DpopOptions {
  /**
   * The URL under which clients know this server, such as `https://api.example`. It is never taken from a request, because a client writes
   * those.
   */
  readonly publicUrl: string;
  /** Signature algorithms of proofs. Default ES256, EdDSA, Ed25519, PS256. */
  readonly algorithms?: readonly string[];
  /** Seconds after its `iat` for which a proof is accepted. Default 60. */
  readonly maxAgeS?: number;
  /** Seconds that a client's clock may be ahead or behind. Default 5. */
  readonly skewS?: number;
  /**
   * Proofs remembered to detect repetition, at most a quarter of them for one key. When the memory is full, calls are answered 503. Default
   * 100,000.
   */
  readonly maxProofs?: number;
  /** Requires a nonce of this server in each proof (RFC 9449, 9). Default: none. */
  readonly nonce?: NonceOptions | false;
  /** Returns epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

export const DEFAULT_DPOP_ALGORITHMS: readonly string[] = ['ES256', 'EdDSA', 'Ed25519', 'PS256'];
const SIGNATURES = new Set([
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
]);
export const DEFAULT_PROOF_AGE_S = 60;
export const DEFAULT_PROOF_SKEW_S = 5;
/** Forgetting proofs early would let a repetition through; a million proofs would take 200 MB. */
export const DEFAULT_MAX_PROOFS = 100_000;
/** Largest numbers of characters of a proof and of its `jti`. */
const MAX_PROOF_LENGTH = 8_192;
const MAX_JTI_LENGTH = 512;

export interface ProofQuestion {
  /** The value of the one `DPoP` header; undefined if there was none. */
  readonly proof: string | undefined;
  readonly token: string;
  /** `cnf.jkt` of the token. */
  readonly jkt: string;
  readonly method: string;
  /** Request target as it came: path and query. */
  readonly url: string;
}

export type ProofVerdict =
  /** `nonce`: a nonce that the client should use from now on. */
  | { readonly ok: true; readonly nonce?: string }
  | {
      readonly ok: false;
      readonly error: 'invalid_dpop_proof' | 'invalid_token' | 'use_dpop_nonce';
      readonly why: string;
      readonly nonce?: string;
    }
  | { readonly ok: false; readonly error: 'full' };

export interface ProofVerifier {
  readonly algorithms: readonly string[];
  verify(question: ProofQuestion): Promise<ProofVerdict>;
}

/**
 * Creates the checks of RFC 9449, 4.3 and 7.1, that a client holds the key to which its token is bound. Throws `TypeError` for wrong
 * options.
 */
export function createProofVerifier(options: DpopOptions): ProofVerifier {
  const { algorithms = DEFAULT_DPOP_ALGORITHMS, maxAgeS = DEFAULT_PROOF_AGE_S, skewS = DEFAULT_PROOF_SKEW_S } = options;
  const { maxProofs = DEFAULT_MAX_PROOFS, now = Date.now } = options;
  const base = new URL(options.publicUrl);
  if (base.protocol !== 'https:' && base.protocol !== 'http:')
    throw new TypeError('`dpop.publicUrl` must be an http address');
  if (algorithms.length === 0 || !algorithms.every((algorithm) => SIGNATURES.has(algorithm))) {
    throw new TypeError('`dpop.algorithms` must name asymmetric signatures');
  }
  checkLimits({ 'dpop.maxAgeS': maxAgeS, 'dpop.maxProofs': maxProofs });
  if (!Number.isSafeInteger(skewS) || skewS < 0) throw new TypeError('`dpop.skewS` must be a whole number');
  const prefix = `${base.origin}${base.pathname.replace(/\/+$/, '')}`;
  const memory = createProofMemory({ keepMs: (maxAgeS + 2 * skewS) * 1000, maxProofs });
  const nonces = options.nonce === undefined || options.nonce === false ? undefined : createNonces(options.nonce);

  async function verify({ proof, token, jkt, method, url }: ProofQuestion): Promise<ProofVerdict> {
    if (proof === undefined) return bad('a DPoP proof is missing');
    if (proof.length > MAX_PROOF_LENGTH) return bad('the proof is too long');
    // Before the signature, because comparing the key costs less.
    const key = await thumbprintOf(proof);
    if (key === undefined) return bad('the proof cannot be read');
    if (key !== jkt) return { ok: false, error: 'invalid_token', why: 'the token is bound to another key' };
    const claims = await signedClaims(proof);
    if (claims === undefined) return bad('the proof is not signed as it must be');
    if (claims['htm'] !== method) return bad('the proof is for another method');
    const path = pathOf(url);
    if (path === undefined || !isSameUri(claims['htu'], `${prefix}${path}`))
      return bad('the proof is for another address');
    if (claims['ath'] !== createHash('sha256').update(token, 'ascii').digest('base64url'))
      return bad('the proof is for another token');
    const at = now();
    const age = at / 1000 - (claims.iat ?? Number.NaN);
    if (!(age <= maxAgeS + skewS && age >= -skewS)) return bad('the proof is not of now');
    const nonce = nonces?.check(claims['nonce'], at);
    if (nonce === 'wrong')
      return {
        ok: false,
        error: 'use_dpop_nonce',
        why: 'this server wants its nonce in the proof',
        nonce: nonces!.current(at),
      };
    const { jti } = claims;
    if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH)
      return bad('the proof has no usable `jti`');
    // The last check, so that only proofs that are otherwise valid are remembered.
    const remembered = memory.remember(jkt, jti, at);
    if (remembered === 'full') return { ok: false, error: 'full' };
    if (remembered === 'repeated') return bad('the proof was used before');
    return nonce === 'previous' ? { ok: true, nonce: nonces!.current(at) } : { ok: true };
  }

  async function signedClaims(proof: string): Promise<JWTPayload | undefined> {
    try {
      // The caller checks the times. An expiry in a proof has no meaning (RFC 9449, 4.2).
      const { payload } = await jwtVerify(proof, EmbeddedJWK, {
        typ: DPOP_TYP,
        algorithms: [...algorithms],
        clockTolerance: Number.MAX_SAFE_INTEGER,
      });
      return payload;
    } catch {
      return undefined;
    }
  }

  return { algorithms, verify };
}

const DPOP_TYP = 'dpop+jwt';

const bad = (why: string): ProofVerdict => ({ ok: false, error: 'invalid_dpop_proof', why });

/** Computes the thumbprint (RFC 7638) of the key in the header; undefined if there is no key or a private one. */
async function thumbprintOf(proof: string): Promise<string | undefined> {
  try {
    const { typ, jwk } = decodeProtectedHeader(proof);
    if (typ?.toLowerCase().replace(/^application\//, '') !== DPOP_TYP || jwk === undefined || 'd' in jwk || 'k' in jwk)
      return undefined;
    return await calculateJwkThumbprint(jwk, 'sha256');
  } catch {
    return undefined;
  }
}

/**
 * Reads the path of a request target: origin-form, in which `//host` is a path, or absolute-form (RFC 9112, 3.2). Undefined for another
 * form.
 */
function pathOf(target: string): string | undefined {
  try {
    return new URL(target.startsWith('/') ? `http://any${target}` : target).pathname;
  } catch {
    return undefined;
  }
}

/** Compares URIs without query and fragment (RFC 9449, 4.3), after the normalization of RFC 3986, 6.2.2 and 6.2.3. */
function isSameUri(htu: unknown, expected: string): boolean {
  if (typeof htu !== 'string') return false;
  const given = normalized(htu);
  return given !== undefined && given === normalized(expected);
}

function normalized(uri: string): string | undefined {
  try {
    const { origin, pathname } = new URL(uri);
    return `${origin}${pathname.replace(/%[0-9a-f]{2}/gi, (escape) => unescaped(escape))}`;
  } catch {
    return undefined;
  }
}

function unescaped(escape: string): string {
  const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
  return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase();
}
