import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { verifierKey, type NoteSignature, type VerifierKey } from '../../merkle/index.js';

/** DER of a public key, up to its last 32 bytes, says that it is an Ed25519 key. */
const RAW_BYTES = 32;

/** Signs a ledger's checkpoints. */
export interface LogKey {
  /** 32 bytes. */
  readonly publicKey: Buffer;
  /** Signs the text of a checkpoint of `origin`, which is the key's name. */
  sign(origin: string, text: string): NoteSignature;
}

/** Reads an Ed25519 private key in PEM (PKCS #8). Throws `TypeError` for anything else, without saying what it is. */
export function readLogKey(pem: string): LogKey {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch {
    throw new TypeError('not a PEM private key');
  }
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new TypeError('not an Ed25519 key');
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-RAW_BYTES);
  return {
    publicKey,
    sign(origin, text) {
      const { name, id } = logVerifier(origin, publicKey);
      return { name, keyId: id, signature: sign(null, Buffer.from(text), privateKey) };
    },
  };
}

/** Makes a key, in PEM. */
export const makeLogKey = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();

/** A log's verifier key: its name is the log's origin. */
export const logVerifier = (origin: string, publicKey: Uint8Array): VerifierKey =>
  verifierKey(origin, 'ed25519', publicKey);

/** Names a ledger: `<log origin>/<tenant uuid>/<incarnation>`. */
export const originOf = (logOrigin: string, tenant: string, incarnation: number): string =>
  `${logOrigin}/${tenant}/${incarnation}`;
