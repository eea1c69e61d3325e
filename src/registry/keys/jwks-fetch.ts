import { lookup as dnsLookup } from 'node:dns';
import { isIP } from 'node:net';
import { isLoopback } from '../../platform/config/index.js';
import { createCheckedLookup, EgressError, hostOf, isPublic, requestOnce } from '../../platform/egress/index.js';
import type { Jwk } from './jwks-check.js';

/** Bytes of a key set; a longer response is refused. */
const MAX_BYTES = 64 * 1024;
/** Milliseconds from the beginning to the last byte received. */
const TIMEOUT_MS = 3_000;
const LIMITS = {
  connectMs: TIMEOUT_MS,
  answerMs: TIMEOUT_MS,
  totalMs: TIMEOUT_MS,
  maxBytes: MAX_BYTES,
  beyond: 'fail',
} as const;

export class JwksFetchError extends Error {
  override readonly name = 'JwksFetchError';
}

export interface JwksFetchOptions {
  /** Hosts that may have an address that is not public. If they are loopback, they may also use http. */
  readonly allowedHosts: readonly string[];
  /** PEM certificates that replace those that Node trusts. */
  readonly ca?: readonly string[] | undefined;
}

/** Says whether a key set may be fetched from this URL: https, or http from a loopback host that the operator allows. */
export const isAllowedScheme = (url: URL, allowedHosts: readonly string[]): boolean =>
  url.protocol === 'https:' ||
  (url.protocol === 'http:' && isLoopback(hostOf(url)) && allowedHosts.includes(hostOf(url)));

const publicLookup = createCheckedLookup(dnsLookup, isPublic, 'public');
const loopbackLookup = createCheckedLookup(dnsLookup, isLoopback, 'loopback');

/**
 * Fetches a key set over https, or over http from an allowed loopback host. Follows no redirects, connects to public addresses only unless
 * the host is allowed, and takes at most 64 KiB and 3 s. The address that was checked is the address connected to, so a second look-up of
 * the name cannot lead elsewhere. Rejects with `JwksFetchError`.
 */
export async function fetchJwks(uri: string, { allowedHosts, ca }: JwksFetchOptions): Promise<readonly Jwk[]> {
  const url = new URL(uri);
  const host = hostOf(url);
  const allowed = allowedHosts.includes(host);
  if (!isAllowedScheme(url, allowedHosts))
    throw new JwksFetchError('neither https nor http at an allowed loopback host');
  const isPlain = url.protocol === 'http:';
  // An address literal is not looked up, so it is checked here.
  if (isIP(host) && !allowed && !isPublic(host)) throw new JwksFetchError('the address is not public');
  try {
    const { status, body } = await requestOnce({
      url,
      method: 'GET',
      headers: { accept: 'application/jwk-set+json, application/json' },
      lookup: isPlain ? loopbackLookup : allowed ? undefined : publicLookup,
      ca,
      limits: LIMITS,
    });
    if (status !== 200) throw new JwksFetchError(`status ${status}`);
    return parseKeySet(body.toString('utf8'));
  } catch (error) {
    throw error instanceof EgressError ? new JwksFetchError(error.message) : error;
  }
}

function parseKeySet(text: string): readonly Jwk[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new JwksFetchError('not JSON');
  }
  const keys = typeof value === 'object' && value !== null && 'keys' in value ? value.keys : undefined;
  if (!Array.isArray(keys)) throw new JwksFetchError('not a JWK set');
  return keys.filter((key): key is Jwk => typeof key === 'object' && key !== null && !Array.isArray(key));
}
