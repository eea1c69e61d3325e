import { lookup as dnsLookup, Resolver } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { isPublic } from './addresses.js';
import type { AllowList } from './allow-list.js';
import { createCheckedLookup, type LookupAll } from './checked-lookup.js';
import { EgressError } from './egress-error.js';
import { requestOnce, type OutgoingRequest, type Received } from './request-once.js';

/** One query to a name server, and how often it is tried. */
const DNS_TIMEOUT_MS = 2_000;
const DNS_TRIES = 2;

export interface EgressOptions {
  /** Hosts and networks that may be reached although they are not public, and without TLS. */
  readonly allowed: AllowList;
  /** PEM certificates that replace those that Node trusts. */
  readonly ca?: readonly string[] | undefined;
  /** Name servers, `address` or `address:port`. Default: those of the system. */
  readonly nameServers?: readonly string[];
}

/** How to connect to a host whose addresses are checked. */
export interface Destination {
  readonly host: string;
  /** Looks the host up and refuses it if one of its addresses is not allowed. A host that is an address has been checked. */
  readonly lookup: LookupFunction;
  readonly ca: readonly string[] | undefined;
}

/** The way out to receivers that somebody else named. */
export interface Egress {
  /** Says how to connect to a host. Throws `EgressError` for an address that is not allowed. */
  destination(host: string, options: { readonly isTls: boolean }): Destination;
  /** Sends one request. Rejects with `EgressError`. */
  send(request: Omit<OutgoingRequest, 'lookup' | 'ca'>): Promise<Received>;
}

/** Returns the host of a URL, an IPv6 address without its brackets. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

/**
 * Creates a way out to public addresses over TLS, and to what an operator allows, also without. Names are asked of name servers without occupying
 * the threads of the process; a name that the operator allows is found as the system finds it (`/etc/hosts`, search domains).
 */
export function createEgress({ allowed, ca, nameServers }: EgressOptions): Egress {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: DNS_TRIES });
  if (nameServers !== undefined) resolver.setServers(nameServers);
  const askServers: LookupAll = (hostname, _options, callback) =>
    resolver.resolve4(hostname, (failed, four = []) =>
      resolver.resolve6(hostname, (_none, six = []) => {
        const found = [
          ...four.map((address) => ({ address, family: 4 })),
          ...six.map((address) => ({ address, family: 6 })),
        ];
        callback(found.length === 0 ? failed : null, found);
      }),
    );

  function destination(host: string, { isTls }: { readonly isTls: boolean }): Destination {
    const mayReach = (address: string): boolean => allowed.hasAddress(address) || (isTls && isPublic(address));
    const kind = isTls ? 'public' : 'allowed without TLS';
    if (allowed.hasHost(host)) return { host, ca, lookup: createCheckedLookup(dnsLookup, () => true, kind) };
    // An address is not looked up, so it is checked here.
    if (isIP(host) !== 0 && !mayReach(host)) throw new EgressError('refused', `the address is not ${kind}`);
    return { host, ca, lookup: createCheckedLookup(askServers, mayReach, kind) };
  }

  return {
    destination,
    async send(request) {
      const { lookup } = destination(hostOf(request.url), { isTls: request.url.protocol === 'https:' });
      return requestOnce({ ...request, lookup, ca });
    },
  };
}
