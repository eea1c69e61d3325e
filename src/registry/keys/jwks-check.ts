import { createPublicKey, type KeyObject } from 'node:crypto';
import { RescindError, SIGNING_ALGORITHMS, type SigningAlgorithm } from '../../contracts/index.js';

/** Keys of one set; a larger set is refused as a whole. */
export const MAX_KEYS = 32;
const MIN_RSA_BITS = 2_048;
const MAX_RSA_BITS = 4_096;
const MAX_KID_LENGTH = 512;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
/** Members of a key that are kept; certificates, `jku` and others are neither needed nor trusted. */
const KEPT_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg', 'use'];

export type Jwk = Readonly<Record<string, unknown>>;

/** A public key for verification, and the algorithms with which it may be used. */
export interface VerificationKey {
  readonly kid: string | undefined;
  readonly algorithms: readonly SigningAlgorithm[];
  readonly key: KeyObject;
}

/**
 * Returns the keys of a registered set that can verify a signature. Keys for another purpose are left out, because servers publish them in
 * the same set. Throws `invalid-jwks` if a key is private, weak or malformed, if no key is left, or if a `kid` names two keys.
 */
export function checkKeys(keys: readonly Jwk[]): readonly Jwk[] {
  if (keys.length > MAX_KEYS) throw invalid(`a key set has at most ${MAX_KEYS} keys`);
  const meant = keys.filter((jwk) => isSecret(jwk) || otherPurposeOf(jwk) === undefined);
  if (meant.length === 0)
    throw invalid(
      `none of the keys can verify a signature; key 0 ${keys[0] === undefined ? 'is missing' : otherPurposeOf(keys[0])}`,
    );
  const kept = meant.map((jwk) => {
    const problem = problemOf(jwk);
    if (problem !== undefined) throw invalid(`key ${keys.indexOf(jwk)} ${problem}`);
    return Object.fromEntries(KEPT_MEMBERS.filter((name) => jwk[name] !== undefined).map((name) => [name, jwk[name]]));
  });
  const kids = kept.map(({ kid }) => kid).filter((kid) => kid !== undefined);
  if (new Set(kids).size !== kids.length) throw invalid('two keys have the same kid');
  return kept;
}

/** Returns the usable keys of a fetched set. An IdP may publish other keys beside them (for encryption, or for refused algorithms). */
export function usableKeys(keys: readonly Jwk[]): readonly VerificationKey[] {
  return keys.filter((jwk) => problemOf(jwk) === undefined).map(importKey);
}

export function importKey(jwk: Jwk): VerificationKey {
  return {
    kid: jwk['kid'] as string | undefined,
    algorithms: jwk['alg'] === undefined ? algorithmsOf(jwk) : [jwk['alg'] as SigningAlgorithm],
    key: createPublicKey({ key: jwk as never, format: 'jwk' }),
  };
}

/** Writes a key as a public JWK. */
export const publicJwk = ({ kid, algorithms, key }: VerificationKey): Jwk => ({
  ...key.export({ format: 'jwk' }),
  ...(kid === undefined ? {} : { kid }),
  ...(algorithms.length === 1 ? { alg: algorithms[0] } : {}),
});

const CURVE_ALGORITHMS: ReadonlyMap<unknown, readonly SigningAlgorithm[]> = new Map([
  ['P-256', ['ES256']],
  ['P-384', ['ES384']],
  ['P-521', ['ES512']],
]);

function algorithmsOf(jwk: Jwk): readonly SigningAlgorithm[] {
  if (jwk['kty'] === 'EC') return CURVE_ALGORITHMS.get(jwk['crv']) ?? [];
  if (jwk['kty'] === 'OKP' && jwk['crv'] === 'Ed25519') return ['EdDSA'];
  if (jwk['kty'] === 'RSA') return ['PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'];
  return [];
}

const isSecret = (jwk: Jwk): boolean => PRIVATE_MEMBERS.some((name) => jwk[name] !== undefined);

/** Says why a key is not for signatures that a source may use; undefined if it is. */
function otherPurposeOf(jwk: Jwk): string | undefined {
  const { alg, use } = jwk;
  if (use !== undefined && use !== 'sig') return 'is not for signatures (`use`)';
  const algorithms = algorithmsOf(jwk);
  if (algorithms.length === 0) return 'is none of EC P-256, P-384 and P-521, OKP Ed25519 and RSA';
  if (alg !== undefined && !algorithms.includes(alg as SigningAlgorithm)) {
    return `has an alg that does not fit it; allowed are ${SIGNING_ALGORITHMS.join(', ')}`;
  }
  return undefined;
}

function problemOf(jwk: Jwk): string | undefined {
  if (isSecret(jwk)) return 'holds private or symmetric key material';
  const otherPurpose = otherPurposeOf(jwk);
  if (otherPurpose !== undefined) return otherPurpose;
  const { kid } = jwk;
  if (kid !== undefined && (typeof kid !== 'string' || kid === '' || kid.length > MAX_KID_LENGTH))
    return 'has a malformed kid';
  let key: KeyObject;
  try {
    key = createPublicKey({ key: jwk as never, format: 'jwk' });
  } catch {
    return 'is malformed';
  }
  const details = key.asymmetricKeyDetails;
  if (jwk['kty'] === 'RSA') {
    const bits = details?.modulusLength ?? 0;
    if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS)
      return `has an RSA modulus outside ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits`;
    const exponent = details?.publicExponent ?? 0n;
    if (exponent < 3n || exponent % 2n === 0n) return 'has an unusable RSA exponent';
  }
  return undefined;
}

const invalid = (detail: string): RescindError => new RescindError('invalid-jwks', { detail });
