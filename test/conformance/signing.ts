import { constants, createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import type { SigningAlgorithm } from '../../src/contracts/index.js';

export type Algorithm = SigningAlgorithm;

export interface SigningKey {
  readonly alg: Algorithm;
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
}

export function makeKey(alg: Algorithm, kid: string): SigningKey {
  const { privateKey, publicKey } = pairFor(alg);
  return { alg, kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } };
}

function pairFor(alg: Algorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  const namedCurve = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[alg as string];
  if (namedCurve !== undefined) return generateKeyPairSync('ec', { namedCurve });
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('rsa', { modulusLength: 2_048 });
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export function signingInput(key: SigningKey, claims: object, header: object = {}): string {
  return `${encode({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header })}.${encode(claims)}`;
}

export function signJwt(key: SigningKey, claims: object, header: object = {}): string {
  const input = signingInput(key, claims, header);
  return `${input}.${signature(key, input).toString('base64url')}`;
}

function signature({ alg, privateKey }: SigningKey, input: string): Buffer {
  const bytes = Buffer.from(input);
  if (alg === 'EdDSA') return sign(null, bytes, privateKey);
  const bits = Number(alg.slice(2));
  const digest = `sha${bits}`;
  if (alg.startsWith('ES')) return sign(digest, bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  if (alg.startsWith('RS')) return sign(digest, bytes, privateKey);
  return sign(digest, bytes, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: bits / 8 });
}

export const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The same ES256 token with (r, n − s) for (r, s): it verifies as well. */
export function mirrorSignature(jwt: string): string {
  const [header, payload, signed] = jwt.split('.') as [string, string, string];
  const bytes = Buffer.from(signed, 'base64url');
  const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  const mirrored = Buffer.from((P256_ORDER - s).toString(16).padStart(64, '0'), 'hex');
  return `${header}.${payload}.${Buffer.concat([bytes.subarray(0, 32), mirrored]).toString('base64url')}`;
}

/** The same token with other padding bits in the last character of its signature: it decodes to the same bytes. */
export function respellPadding(jwt: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(jwt.at(-1)!);
  return `${jwt.slice(0, -1)}${alphabet[last ^ 1]}`;
}
