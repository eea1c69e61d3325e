import { isUtf8 } from 'node:buffer';
import { constants, hash, verify, type KeyObject } from 'node:crypto';

export type Claims = Readonly<Record<string, unknown>>;

/** A JWT in JWS compact serialization (RFC 7515, section 7.1), taken apart and not yet believed. */
export interface CompactJws {
  readonly header: Claims;
  readonly claims: Claims;
  readonly signingInput: string;
  readonly signature: Buffer;
}

const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** Undefined for every text that is not a JWT; such a text is an opaque token. */
export function parseCompactJws(text: string): CompactJws | undefined {
  const parts = text.split('.', 4);
  if (parts.length !== 3) return undefined;
  // Buffer skips what is not base64url, so one signature would have any number of spellings.
  if (!parts.every((part) => BASE64URL.test(part) && part.length % 4 !== 1)) return undefined;
  const [protectedHeader, payload, signature] = parts as [string, string, string];
  const header = parseObject(protectedHeader);
  const claims = header && parseObject(payload);
  if (!claims) return undefined;
  return { header, claims, signingInput: `${protectedHeader}.${payload}`, signature: Buffer.from(signature, 'base64url') };
}

function parseObject(part: string): Claims | undefined {
  try {
    const bytes = Buffer.from(part, 'base64url');
    if (!isUtf8(bytes)) return undefined;
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}

export const sha256 = (text: string): string => hash('sha256', text, 'base64url');

/** `typ` names a media type; `application/` may be left out and case does not matter (RFC 7515, section 4.1.9). */
export function isTyp(typ: unknown, expected: string): boolean {
  return typeof typ === 'string' && shortTyp(typ) === shortTyp(expected);
}

function shortTyp(typ: string): string {
  const lower = typ.toLowerCase();
  return lower.startsWith('application/') && !lower.includes('/', 12) ? lower.slice(12) : lower;
}

interface Scheme {
  readonly digest: string | null;
  readonly suits: (key: KeyObject) => boolean;
  readonly parameters: { readonly dsaEncoding?: 'ieee-p1363'; readonly padding?: number; readonly saltLength?: number };
}

const P256_SCALAR_BYTES = 32;
const P256_SIGNATURE_BYTES = 2 * P256_SCALAR_BYTES;
const PS256_SALT_BYTES = 32;
const MIN_RSA_BITS = 2_048;
const MAX_RSA_BITS = 4_096;

const isRsa = ({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean => {
  if (asymmetricKeyType !== 'rsa') return false;
  const bits = asymmetricKeyDetails!.modulusLength!;
  return bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS;
};

/** RFC 7518, sections 3.3 to 3.5, and RFC 8037. A Map: an `alg` out of a token must not find what an object inherits. */
const SCHEMES: ReadonlyMap<string, Scheme> = new Map([
  [
    'ES256',
    {
      digest: 'sha256',
      suits: (key) => key.asymmetricKeyDetails?.namedCurve === 'prime256v1',
      parameters: { dsaEncoding: 'ieee-p1363' },
    },
  ],
  ['EdDSA', { digest: null, suits: (key) => key.asymmetricKeyType === 'ed25519', parameters: {} }],
  [
    'PS256',
    { digest: 'sha256', suits: isRsa, parameters: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: PS256_SALT_BYTES } },
  ],
  ['RS256', { digest: 'sha256', suits: isRsa, parameters: { padding: constants.RSA_PKCS1_PADDING } }],
] satisfies [string, Scheme][]);

/** Whether `key` made this signature. Runs on libuv's threads; a key of another kind than `alg` says is a plain no. */
export function verifySignature(alg: string, key: KeyObject, { signingInput, signature }: CompactJws): Promise<boolean> {
  const scheme = SCHEMES.get(alg);
  if (!scheme || !scheme.suits(key)) return Promise.resolve(false);
  if (alg === 'ES256' && signature.length !== P256_SIGNATURE_BYTES) return Promise.resolve(false);
  return new Promise((resolve) => {
    verify(scheme.digest, Buffer.from(signingInput), { key, ...scheme.parameters }, signature, (error, good) =>
      resolve(error === null && good === true),
    );
  });
}

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/**
 * Every text that carries these claims under this signature: an ECDSA signature (r, s) verifies as (r, n − s) too, and
 * base64url may spell the same bytes in several ways. A rule on a digest has to meet all of them.
 */
export function spellings({ header, signingInput, signature }: CompactJws): readonly string[] {
  const canonical = `${signingInput}.${signature.toString('base64url')}`;
  if (header['alg'] !== 'ES256' || signature.length !== P256_SIGNATURE_BYTES) return [canonical];
  const s = BigInt(`0x${signature.toString('hex', P256_SCALAR_BYTES)}`);
  const mirrored = (P256_ORDER - s).toString(16).padStart(2 * P256_SCALAR_BYTES, '0');
  const twin = Buffer.concat([signature.subarray(0, P256_SCALAR_BYTES), Buffer.from(mirrored, 'hex')]);
  return [canonical, `${signingInput}.${twin.toString('base64url')}`];
}
