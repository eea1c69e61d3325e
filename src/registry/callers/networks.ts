import { isIPv4, isIPv6 } from 'node:net';

/** Bits that name a network: a multiple of 8 for IPv4, of 16 for IPv6. */
export interface Prefix {
  readonly ipv4: number;
  readonly ipv6: number;
}

/** Names the network of an address as PostgreSQL does, such as `203.0.113.0/24`; undefined if the text is no IP address. */
export function networkOf(address: string, { ipv4, ipv6 }: Prefix): string | undefined {
  // A socket that takes both families shows an IPv4 peer so (RFC 4291, section 2.5.5.2).
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIPv4(plain)) {
    const octets = plain.split('.').map((octet, nth) => (nth < ipv4 / 8 ? octet : '0'));
    return `${octets.join('.')}/${ipv4}`;
  }
  if (!isIPv6(plain)) return undefined;
  const groups = groupsOf(plain).slice(0, ipv6 / 16);
  while (groups.at(-1) === '0') groups.pop();
  return `${groups.join(':')}::/${ipv6}`;
}

/** Writes the groups of an IPv6 address out, without leading zeros. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length;
  const groups = [...front, ...Array<string>(Math.max(0, zeros)).fill('0'), ...back];
  return groups.map((group) => Number.parseInt(group, 16).toString(16));
}
