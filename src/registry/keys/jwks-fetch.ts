import { lookup as dnsLookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { isLoopback } from '../../platform/config/index.js';
import type { Jwk } from './jwks-check.js';

/** Bytes of a key set; a longer response is refused. */
const MAX_BYTES = 64 * 1024;
/** Milliseconds from the first byte sent to the last byte received. */
const TIMEOUT_MS = 3_000;

export class JwksFetchError extends Error {
  override readonly name = 'JwksFetchError';
}

export interface JwksFetchOptions {
  /** Hosts that may have an address that is not public. If they are loopback, they may also use http. */
  readonly allowedHosts: readonly string[];
  /** PEM certificates that replace those that Node trusts. */
  readonly ca?: readonly string[] | undefined;
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

/** Says whether a key set may be fetched from this URL: https, or http from a loopback host that the operator allows. */
export const isAllowedScheme = (url: URL, allowedHosts: readonly string[]): boolean =>
  url.protocol === 'https:' ||
  (url.protocol === 'http:' && isLoopback(hostOf(url)) && allowedHosts.includes(hostOf(url)));

/**
 * Fetches a key set over https, or over http from an allowed loopback host. Follows no redirects, connects to public addresses only unless
 * the host is allowed, and takes at most 64 KiB and 3 s. The address that was checked is the address connected to, so a second look-up of
 * the name cannot lead elsewhere. Rejects with `JwksFetchError`.
 */
export function fetchJwks(uri: string, { allowedHosts, ca }: JwksFetchOptions): Promise<readonly Jwk[]> {
  const url = new URL(uri);
  const host = hostOf(url);
  const allowed = allowedHosts.includes(host);
  if (!isAllowedScheme(url, allowedHosts))
    return Promise.reject(new JwksFetchError('neither https nor http at an allowed loopback host'));
  const isPlain = url.protocol === 'http:';
  // An address literal is not looked up, so it is checked here.
  if (isIP(host) && !allowed && !isPublic(host)) return Promise.reject(new JwksFetchError('the address is not public'));

  return new Promise((resolve, reject) => {
    const fail = (message: string): void => reject(new JwksFetchError(message));
    const call = (isPlain ? requestHttp : requestHttps)(
      url,
      {
        method: 'GET',
        agent: false,
        headers: { accept: 'application/jwk-set+json, application/json' },
        lookup: isPlain ? loopbackLookup : allowed ? undefined : publicLookup,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(ca === undefined ? {} : { ca: [...ca] }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        if (response.statusCode !== 200) {
          fail(`status ${response.statusCode}`);
          response.destroy();
          return;
        }
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          chunks.push(chunk);
          if (size > MAX_BYTES) {
            fail(`over ${MAX_BYTES} bytes`);
            response.destroy();
          }
        });
        response.on('error', (error) => fail(error.message));
        response.on('end', () => {
          try {
            resolve(parseKeySet(Buffer.concat(chunks).toString('utf8')));
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    call.on('error', (error) => fail(error.name === 'TimeoutError' ? `no answer in ${TIMEOUT_MS} ms` : error.message));
    call.end();
  });
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

/** Creates a look-up that refuses a name if any of its addresses is of another kind. */
export const createCheckedLookup =
  (lookup: LookupAll, kind: 'public' | 'loopback'): LookupFunction =>
  (hostname, options, callback) => {
    const isOfKind = kind === 'public' ? isPublic : isLoopback;
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const refused = addresses.find(({ address }) => !isOfKind(address));
      if (refused || addresses.length === 0) return callback(new JwksFetchError(`the address is not ${kind}`), '', 0);
      if (options.all) return callback(null, addresses);
      return callback(null, addresses[0]!.address, addresses[0]!.family);
    });
  };

/** Looks up all addresses of a name, as `dns.lookup` does. */
export type LookupAll = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

const publicLookup = createCheckedLookup(dnsLookup, 'public');
const loopbackLookup = createCheckedLookup(dnsLookup, 'loopback');

/** IANA's special-purpose registries (RFC 6890), and multicast. */
const SPECIAL_IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
/** All routed addresses are in 2000::/3; these parts of it, tunnels and documentation, are not public. */
const SPECIAL_IPV6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const special = new BlockList();
for (const [network, prefix] of SPECIAL_IPV4) special.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of SPECIAL_IPV6) special.addSubnet(network, prefix, 'ipv6');
const routedIpv6 = new BlockList();
routedIpv6.addSubnet('2000::', 3, 'ipv6');

export function isPublic(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address.split('%')[0]!;
  if (isIP(plain) === 4) return !special.check(plain, 'ipv4');
  return isIP(plain) === 6 && routedIpv6.check(plain, 'ipv6') && !special.check(plain, 'ipv6');
}
