import { Buffer } from 'node:buffer';
import { createPublicKey, verify } from 'node:crypto';

/** DER of an Ed25519 public key up to its 32 bytes (RFC 8410, section 4). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** Checks a signature by a raw public key of 32 bytes. `src/console/merkle/` has another for a browser. */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
  return verify(null, message, key, signature);
}
