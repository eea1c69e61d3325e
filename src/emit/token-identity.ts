import { createHash } from 'node:crypto';
import type { TokenReference } from '../contracts/index.js';

/** SHA-256 of a text's UTF-8 bytes, base64url without padding: how opaque tokens and ID-JAGs are named. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('base64url');
}

const COMPACT_JWS = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)$/;

/**
 * The identity of a JWT that the caller issued or has verified: `{iss, jti}`, or without a `jti` the digest of its signing
 * input. Never the digest of its text, which can be respelled (RFC 4648, 3.5; a second ECDSA signature value). The
 * signature is not checked here. Throws `TypeError` for a text that is not a JWT.
 */
export function jwtIdentity(jwt: string): TokenReference {
  const parts = COMPACT_JWS.exec(jwt);
  const header = parts && jsonObject(parts[1]!);
  const claims = parts && jsonObject(parts[2]!);
  if (!parts || !header || typeof header['alg'] !== 'string' || !claims) throw new TypeError('not a compact JWS with a JSON payload');
  const { iss, jti } = claims;
  if (typeof iss === 'string' && iss !== '' && typeof jti === 'string' && jti !== '') return { iss, jti };
  return { signing_input_sha256: digestOf(`${parts[1]}.${parts[2]}`) };
}

/** The identity of any access or refresh token: as `jwtIdentity` for a JWT, otherwise the digest of its text. */
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
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
