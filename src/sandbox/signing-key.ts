import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';

export const SIGNING_ALGORITHM = 'ES256';

export interface SigningKey {
  readonly kid: string;
  readonly publicKey: CryptoKey;
  readonly privateJwk: JWK;
  /** The key set that a party registers with Rescind and serves at its `jwks_uri`. */
  readonly publicJwks: { readonly keys: readonly JWK[] };
  sign(claims: JWTPayload, typ: string): Promise<string>;
}

export async function createSigningKey(kid: string): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(SIGNING_ALGORITHM, { extractable: true });
  const labels = { kid, alg: SIGNING_ALGORITHM, use: 'sig' };
  const privateJwk = { ...(await exportJWK(privateKey)), ...labels };
  const publicJwk = { ...(await exportJWK(publicKey)), ...labels };
  return {
    kid,
    publicKey,
    privateJwk,
    publicJwks: { keys: [publicJwk] },
    sign: (claims, typ) =>
      new SignJWT(claims).setProtectedHeader({ alg: SIGNING_ALGORITHM, kid, typ }).sign(privateKey),
  };
}
