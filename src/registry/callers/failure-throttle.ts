import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';

/** Failures that one address may have at once before it must wait. */
const BURST = 20;
/** Failures a second that an address is allowed again. */
const REFILL_PER_S = 1;
/** Addresses remembered; beyond that, the address that failed longest ago starts afresh. */
const MAX_ADDRESSES = 10_000;

export interface FailureThrottle {
  /** Counts a failure. Returns undefined while the address has failures left, else the seconds until it has one again. */
  fail(remoteAddress: string): number | undefined;
}

/**
 * Creates a token bucket an address from which only failures take. A caller with the right secret is never delayed, even behind an address
 * that others abuse. Secrets have 256 bits, so the throttle saves work and log lines; it is not what keeps secrets safe.
 */
export function createFailureThrottle(now: () => number): FailureThrottle {
  const buckets = new LRUCache<string, { left: number; at: number }>({ max: MAX_ADDRESSES });
  return {
    fail(remoteAddress) {
      const at = now();
      const address = networkOf(remoteAddress);
      const bucket = buckets.get(address) ?? { left: BURST, at };
      const left = Math.min(BURST, bucket.left + (Math.max(0, at - bucket.at) / 1000) * REFILL_PER_S);
      buckets.set(address, { left: left >= 1 ? left - 1 : left, at });
      return left >= 1 ? undefined : Math.ceil((1 - left) / REFILL_PER_S);
    },
  };
}

/** Maps an IPv6 address to its /64: a subscriber has at least that much (RFC 6177) and could use a new address for each request. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address;
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length;
  const groups = [...front, ...Array<string>(Math.max(0, zeros)).fill('0'), ...back];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
