import { Buffer } from 'node:buffer';
import { verifyEd25519 } from '../ed25519.js';
import { sha256 } from '../sha256.js';

/** How a key signs notes: the type byte of its signatures (C2SP signed-note 1.0.0). */
export const KEY_TYPES = { ed25519: 0x01, cosignature: 0x04 } as const;
export type KeyType = keyof typeof KEY_TYPES;

/** Public key of a log or a witness, read from a verifier key. */
export interface VerifierKey {
  readonly name: string;
  /** First four bytes of a digest of name and key, as 8 hex digits. */
  readonly id: string;
  readonly type: KeyType;
  readonly publicKey: Buffer;
}

const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const KEY_NAME = /^[^\s+\p{Cc}]+$/u;
const KEY_ID = /^[0-9a-f]{8}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export const isKeyName = (name: string): boolean => name.isWellFormed() && KEY_NAME.test(name);

/** Decodes base64 with padding. Returns undefined for every other spelling of the same bytes. */
export function decodeBase64(text: string): Buffer | undefined {
  if (!BASE64.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Makes a verifier key. Throws `TypeError` for a name that no note can carry. */
export function verifierKey(name: string, type: KeyType, publicKey: Uint8Array): VerifierKey {
  if (!isKeyName(name)) throw new TypeError('the name of a key has no spaces, plus signs or control characters');
  if (publicKey.length !== PUBLIC_KEY_BYTES) throw new TypeError(`an Ed25519 key has ${PUBLIC_KEY_BYTES} bytes`);
  const id = sha256(Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([KEY_TYPES[type]]), publicKey]));
  return { name, id: id.toString('hex', 0, 4), type, publicKey: Buffer.from(publicKey) };
}

/** Writes `<name>+<id>+<base64(type ‖ key)>`. */
export const formatVerifierKey = ({ name, id, type, publicKey }: VerifierKey): string =>
  `${name}+${id}+${Buffer.concat([Buffer.from([KEY_TYPES[type]]), publicKey]).toString('base64')}`;

/** Reads a verifier key. Returns undefined for a malformed one, one of another algorithm, and one whose id is wrong. */
export function parseVerifierKey(text: string): VerifierKey | undefined {
  const [name = '', id = '', ...rest] = text.split('+');
  const bytes = decodeBase64(rest.join('+'));
  if (bytes?.length !== 1 + PUBLIC_KEY_BYTES || !isKeyName(name) || !KEY_ID.test(id)) return undefined;
  const type = (Object.keys(KEY_TYPES) as KeyType[]).find((known) => KEY_TYPES[known] === bytes[0]);
  if (type === undefined) return undefined;
  const key = verifierKey(name, type, bytes.subarray(1));
  return key.id === id ? key : undefined;
}

/** Bytes of the time in front of a cosignature's signature. */
const TIME_BYTES = 8;

/** Tells the message that a witness signs (C2SP tlog-cosignature 1.0.1). `time`: POSIX seconds. */
export const cosignedMessage = (text: string, time: bigint): Buffer =>
  Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);

/** Puts the time in front of a witness's signature. */
export function encodeCosignature(time: bigint, signature: Uint8Array): Buffer {
  const bytes = Buffer.alloc(TIME_BYTES);
  bytes.writeBigUInt64BE(time);
  return Buffer.concat([bytes, signature]);
}

/** Tells when a witness signed, in POSIX seconds. Undefined for a signature of another length. */
export const cosignedAt = (signature: Buffer): bigint | undefined =>
  signature.length === TIME_BYTES + SIGNATURE_BYTES ? signature.readBigUInt64BE() : undefined;

const MAX_TIME = 2n ** 63n - 1n;

/** Checks a signature of a note's text, which ends with a newline. */
export function verifySignature(key: VerifierKey, text: string, signature: Buffer): boolean {
  if (key.type === 'ed25519')
    return signature.length === SIGNATURE_BYTES && verifyEd25519(key.publicKey, Buffer.from(text), signature);
  const time = cosignedAt(signature);
  if (time === undefined || time > MAX_TIME) return false;
  return verifyEd25519(key.publicKey, cosignedMessage(text, time), signature.subarray(TIME_BYTES));
}
