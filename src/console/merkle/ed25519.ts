import { ed25519 } from '@noble/curves/ed25519.js';

/** Stands in a browser for `src/merkle/ed25519.ts`. Takes the points and numbers of RFC 8032 alone, as OpenSSL does. */
export const verifyEd25519 = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean =>
  ed25519.verify(signature, message, publicKey, { zip215: false });
