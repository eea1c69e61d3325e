import { base64url, compactVerify, errors, importJWK } from 'jose';
import type { VerifyJws } from '../../../merkle/index.js';

/** Algorithms of signatures that Rescind takes, with the kind of their keys (RFC 7518, sections 3.1 and 6.1, and RFC 8037). */
const TAKEN: readonly (readonly [RegExp, string])[] = [
  [/^EdDSA$/, 'OKP'],
  [/^ES(?:256|384|512)$/, 'EC'],
  [/^[PR]S(?:256|384|512)$/, 'RSA'],
];

/**
 * Checks a source's signature with the browser's cryptography. Undefined where the browser does not know the algorithm, or gives the page none
 * of it, as to a page that came from another machine without TLS.
 */
export const verifyJws: VerifyJws = async ({ alg, jwk, signingInput, signature }) => {
  const isTaken = TAKEN.some(([name, kty]) => name.test(alg) && jwk['kty'] === kty);
  if (!isTaken || (jwk['alg'] !== undefined && jwk['alg'] !== alg)) return false;
  if (globalThis.crypto.subtle === undefined) return undefined;
  try {
    const key = await importJWK({ ...jwk }, alg);
    await compactVerify(`${signingInput}.${base64url.encode(signature)}`, key, { algorithms: [alg] });
    return true;
  } catch (error) {
    return isNotSupported(error) ? undefined : false;
  }
};

const isNotSupported = (error: unknown): boolean =>
  error instanceof errors.JOSENotSupported || (error instanceof DOMException && error.name === 'NotSupportedError');
