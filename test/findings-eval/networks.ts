import type { Random } from '../../src/seed/index.js';

/** Addresses that belong together: an IPv4 /24 or an IPv6 /64. */
export interface Network {
  readonly prefix: string;
  /** Draws an address of it. */
  address(random: Random): string;
}

export interface Networks {
  /** A network that nobody else has, of which so many addresses are used. */
  fresh(addresses: number): Network;
  freshV6(): Network;
  /** One of a mobile carrier's networks, which its customers share. */
  mobile(carrier: number, random: Random): Network;
}

const CARRIERS = 3;
const CARRIER_NETWORKS = 24;

export function createNetworks(random: Random): Networks {
  const taken = new Set<string>();
  const prefix = (): string => {
    for (;;) {
      const drawn = `${random.pick([31, 46, 62, 77, 81, 89, 91, 145, 178, 185, 193, 213])}.${random.below(256)}.${random.below(256)}`;
      if (taken.has(drawn)) continue;
      taken.add(drawn);
      return drawn;
    }
  };
  const fresh = (addresses: number): Network => {
    const drawn = prefix();
    const first = 1 + random.below(250 - addresses);
    return { prefix: drawn, address: (draw) => `${drawn}.${first + draw.below(addresses)}` };
  };
  const carriers = Array.from({ length: CARRIERS }, () => Array.from({ length: CARRIER_NETWORKS }, () => fresh(200)));
  return {
    fresh,
    freshV6() {
      const drawn = `2001:db8:${random.hex(4)}:${random.hex(4)}`;
      return {
        prefix: drawn,
        address: (draw) => `${drawn}:${draw.hex(4)}:${draw.hex(4)}:${draw.hex(4)}:${draw.hex(4)}`,
      };
    },
    mobile: (carrier, draw) => draw.pick(carriers[carrier]!),
  };
}

/** Names the network of an address, as `Network.prefix` does. */
export const networkOf = (address: string): string =>
  address.includes(':') ? address.split(':').slice(0, 4).join(':') : address.slice(0, address.lastIndexOf('.'));
