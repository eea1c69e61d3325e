import { isUtf8 } from 'node:buffer';
import { constants, hash, sign, verify, type KeyObject } from 'node:crypto';

/** Algorithms of signatures that Rescind checks and makes (RFC 7518, section 3.1, and RFC 8037). */
export const SIGNING_ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

type Claims = Readonly<Record<string, unknown>>;

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
  return {
    header,
    claims,
    signingInput: `${protectedHeader}.${payload}`,
    signature: Buffer.from(signature, 'base64url'),
  };
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
  readonly curve?: Curve;
}

interface Curve {
  readonly scalarBytes: number;
  readonly order: bigint;
}

const P256: Curve = { scalarBytes: 32, order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n };
const P384: Curve = {
  scalarBytes: 48,
  order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
};
const P521: Curve = {
  scalarBytes: 66,
  order:
    0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
};

const MIN_RSA_BITS = 2_048;
const MAX_RSA_BITS = 4_096;

const isRsa = ({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean => {
  if (asymmetricKeyType !== 'rsa') return false;
  const bits = asymmetricKeyDetails!.modulusLength!;
  return bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS;
};

const ecdsa = (digest: string, namedCurve: string, curve: Curve): Scheme => ({
  digest,
  suits: (key) => key.asymmetricKeyDetails?.namedCurve === namedCurve,
  parameters: { dsaEncoding: 'ieee-p1363' },
  curve,
});

/** The salt is as long as the digest (RFC 7518, section 3.5). */
const pss = (digest: string, saltLength: number): Scheme => ({
  digest,
  suits: isRsa,
  parameters: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength },
});

const pkcs1 = (digest: string): Scheme => ({
  digest,
  suits: isRsa,
  parameters: { padding: constants.RSA_PKCS1_PADDING },
});

/** RFC 7518, sections 3.3 to 3.5, and RFC 8037. A Map: an `alg` out of a token must not find what an object inherits. */
const SCHEMES: ReadonlyMap<string, Scheme> = new Map([
  ['ES256', ecdsa('sha256', 'prime256v1', P256)],
  ['ES384', ecdsa('sha384', 'secp384r1', P384)],
  ['ES512', ecdsa('sha512', 'secp521r1', P521)],
  ['EdDSA', { digest: null, suits: (key) => key.asymmetricKeyType === 'ed25519', parameters: {} }],
  ['PS256', pss('sha256', 32)],
  ['PS384', pss('sha384', 48)],
  ['PS512', pss('sha512', 64)],
  ['RS256', pkcs1('sha256')],
  ['RS384', pkcs1('sha384')],
  ['RS512', pkcs1('sha512')],
] satisfies [SigningAlgorithm, Scheme][]);

/** Whether `key` made this signature. Runs on libuv's threads; a key of another kind than `alg` says is a plain no. */
export function verifySignature(alg: string, key: KeyObject, jws: CompactJws): Promise<boolean> {
  const scheme = schemeOf(alg, key, jws);
  if (!scheme) return Promise.resolve(false);
  const { digest, parameters } = scheme;
  return new Promise((resolve) => {
    verify(digest, Buffer.from(jws.signingInput), { key, ...parameters }, jws.signature, (error, good) =>
      resolve(error === null && good === true),
    );
  });
}

/** Does what `verifySignature` does, and holds the thread meanwhile. For the command line. */
export function verifySignatureNow(alg: string, key: KeyObject, jws: SignedPart): boolean {
  const scheme = schemeOf(alg, key, jws);
  if (!scheme) return false;
  return verify(scheme.digest, Buffer.from(jws.signingInput), { key, ...scheme.parameters }, jws.signature);
}

type SignedPart = Pick<CompactJws, 'signingInput' | 'signature'>;

/** Undefined if no signature of this algorithm, key and length is good. */
function schemeOf(alg: string, key: KeyObject, { signature }: SignedPart): Scheme | undefined {
  const scheme = SCHEMES.get(alg);
  if (!scheme || !scheme.suits(key)) return undefined;
  return scheme.curve && signature.length !== 2 * scheme.curve.scalarBytes ? undefined : scheme;
}

/** Says whether a key is one that the algorithm may be used with. */
export const suitsAlgorithm = (alg: SigningAlgorithm, key: KeyObject): boolean => SCHEMES.get(alg)!.suits(key);

/**
 * Writes a JWS in compact serialization. Signs on libuv's threads. Rejects with `TypeError` if the key is not one of the algorithm.
 */
export async function signCompactJws(
  header: Claims & { readonly alg: SigningAlgorithm },
  payload: string,
  key: KeyObject,
): Promise<string> {
  const { digest, suits, parameters } = SCHEMES.get(header.alg)!;
  if (!suits(key)) throw new TypeError(`the key is none of ${header.alg}`);
  const signingInput = `${encode(JSON.stringify(header))}.${encode(payload)}`;
  const signature = await new Promise<Buffer>((resolve, reject) => {
    sign(digest, Buffer.from(signingInput), { key, ...parameters }, (error, made) =>
      error ? reject(error) : resolve(made),
    );
  });
  return `${signingInput}.${signature.toString('base64url')}`;
}

const encode = (text: string): string => Buffer.from(text).toString('base64url');

/**
 * Every text that carries these claims under this signature: an ECDSA signature (r, s) verifies as (r, n − s) too, and
 * base64url may spell the same bytes in several ways. A rule on a digest has to meet all of them.
 */
export function spellings({ header, signingInput, signature }: CompactJws): readonly string[] {
  const canonical = `${signingInput}.${signature.toString('base64url')}`;
  const curve = SCHEMES.get(header['alg'] as string)?.curve;
  if (!curve || signature.length !== 2 * curve.scalarBytes) return [canonical];
  const s = BigInt(`0x${signature.toString('hex', curve.scalarBytes)}`);
  const mirrored = (curve.order - s).toString(16).padStart(2 * curve.scalarBytes, '0');
  const twin = Buffer.concat([signature.subarray(0, curve.scalarBytes), Buffer.from(mirrored, 'hex')]);
  return [canonical, `${signingInput}.${twin.toString('base64url')}`];
}
