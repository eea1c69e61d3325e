import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { verifySignatureNow } from '../../contracts/index.js';
import type { VerifyJws } from '../../merkle/index.js';

/** Checks a source's signature with Node's cryptography. */
export const verifyJws: VerifyJws = ({ alg, jwk, signingInput, signature }) => {
  if (jwk['alg'] !== undefined && jwk['alg'] !== alg) return false;
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    return verifySignatureNow(alg, key, { signingInput, signature });
  } catch {
    return false;
  }
};
