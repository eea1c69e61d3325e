import type { LookupAddress, LookupAllOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { EgressError } from './egress-error.js';

/** Looks up all addresses of a name, as `dns.lookup` does. */
export type LookupAll = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Creates a look-up that refuses a name if one of its addresses is not allowed. A connection that is made with it goes to the address that was
 * checked, so that a second look-up of the name cannot lead elsewhere. `kind` says in the refusal which addresses are allowed.
 */
export const createCheckedLookup =
  (lookup: LookupAll, isAllowed: (address: string) => boolean, kind: string): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const refused = addresses.find(({ address }) => !isAllowed(address));
      if (refused || addresses.length === 0)
        return callback(new EgressError('refused', `the address is not ${kind}`), '', 0);
      if (options.all) return callback(null, addresses);
      return callback(null, addresses[0]!.address, addresses[0]!.family);
    });
  };
