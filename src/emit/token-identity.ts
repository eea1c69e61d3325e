import { createHash } from 'node:crypto';
import type { TokenReference } from '../contracts/index.js';

/** Computes the SHA-256 of a text's UTF-8 bytes as base64url without padding. Opaque tokens and ID-JAGs are named by this digest. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('base64url');
}

const COMPACT_JWS = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)$/;

/**
 * Names a JWT that the caller has issued or verified: `{iss, jti}`, or without a `jti` `{signing_input_sha256}`, the digest of its signing
 * input. A JWT is never named by the digest of its text, because one JWT can be spelled in several ways (RFC 4648, 3.5; a second ECDSA
 * signature value). Does not check the signature. Throws `TypeError` if the text is not a compact JWS (RFC 7515, 7.1) with a JSON payload.
 */
export function jwtIdentity(jwt: string): TokenReference {
  const parts = COMPACT_JWS.exec(jwt);
  const header = parts && jsonObject(parts[1]!);
  const claims = parts && jsonObject(parts[2]!);
  if (!parts || !header || typeof header['alg'] !== 'string' || !claims)
    throw new TypeError('not a compact JWS with a JSON payload');
  const { iss, jti } = claims;
  if (typeof iss === 'string' && iss !== '' && typeof jti === 'string' && jti !== '') return { iss, jti };
  return { signing_input_sha256: digestOf(`${parts[1]}.${parts[2]}`) };
}

/** Names any access or refresh token: a JWT as `jwtIdentity` does, any other text by `{sha256}`, its digest. */
export function tokenIdentity(token: string): TokenReference {
  try {
    return jwtIdentity(token);
  } catch {
    return { sha256: digestOf(token) };
  }
}

function jsonObject(base64url: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64url, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
