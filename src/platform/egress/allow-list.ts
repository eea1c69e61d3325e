import { BlockList, isIP } from 'node:net';

/** Hosts and networks that may be reached although they are not public. */
export interface AllowList {
  /** Says whether an operator has named this host itself. */
  hasHost(host: string): boolean;
  /** Says whether an address lies in one of the networks. */
  hasAddress(address: string): boolean;
}

const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/;

/** Reads host names, addresses and networks (CIDR). Returns undefined if one of them is none. */
export function parseAllowed(items: readonly string[]): AllowList | undefined {
  const hosts = new Set<string>();
  const networks = new BlockList();
  for (const item of items) {
    const [, address, prefix] = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(item) ?? [];
    const family = address === undefined ? 0 : isIP(address);
    if (address !== undefined && family !== 0) {
      const most = family === 4 ? 32 : 128;
      if (Number(prefix ?? most) > most) return undefined;
      networks.addSubnet(address, Number(prefix ?? most), family === 4 ? 'ipv4' : 'ipv6');
    } else if (HOST.test(item)) hosts.add(item.toLowerCase());
    else return undefined;
  }
  return {
    hasHost: (host) => hosts.has(host.toLowerCase()),
    hasAddress(address) {
      const plain = address.split('%')[0]!;
      const family = isIP(plain);
      return family !== 0 && networks.check(plain, family === 4 ? 'ipv4' : 'ipv6');
    },
  };
}
