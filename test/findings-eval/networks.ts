import type { Random } from '../../src/seed/index.js';

/** Addresses that belong together: an IPv4 /24, an IPv6 /64, or one of each. */
export interface Network {
  readonly prefix: string;
  /** The IPv4 network of a place that has IPv6 too: a device uses either, as it happens. */
  readonly beside?: Network;
  /** Draws an address of it. */
  address(random: Random): string;
}

export interface Networks {
  /** A network that nobody else has, of which so many addresses are used. */
  fresh(addresses: number): Network;
  freshV6(): Network;
  /** A place with both: one in four calls goes out by IPv4. */
  freshDual(): Network;
  /** The networks of all mobile carriers. */
  readonly mobiles: readonly Network[];
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
  const freshV6 = (): Network => {
    // Each provider has a /32 of its own, within the range for documentation.
    const drawn = `3fff:${random.hex(3)}:${random.hex(4)}:${random.hex(4)}`;
    return {
      prefix: drawn,
      address: (draw) => `${drawn}:${draw.hex(4)}:${draw.hex(4)}:${draw.hex(4)}:${draw.hex(4)}`,
    };
  };
  return {
    fresh,
    freshV6,
    freshDual() {
      const [six, beside] = [freshV6(), fresh(1)];
      return { ...six, beside, address: (draw) => (draw.chance(0.25) ? beside : six).address(draw) };
    },
    mobiles: carriers.flat(),
    mobile: (carrier, draw) => draw.pick(carriers[carrier]!),
  };
}

/** Names the network of an address, as `Network.prefix` does. */
export const networkOf = (address: string): string =>
  address.includes(':') ? address.split(':').slice(0, 4).join(':') : address.slice(0, address.lastIndexOf('.'));
