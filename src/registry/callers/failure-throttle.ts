import { LRUCache } from 'lru-cache';
import { networkOf } from './networks.js';

/** Failures that one address may have at once before it must wait. */
const BURST = 20;
/** Failures a second that an address is allowed again. */
const REFILL_PER_S = 1;
/** Addresses remembered; beyond that, the address that failed longest ago starts afresh. */
const MAX_ADDRESSES = 10_000;
/** An IPv6 subscriber has at least a /64 (RFC 6177) and could use a new address for each request. */
const ONE_ADDRESS = { ipv4: 32, ipv6: 64 };

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
      const address = networkOf(remoteAddress, ONE_ADDRESS) ?? remoteAddress;
      const bucket = buckets.get(address) ?? { left: BURST, at };
      const left = Math.min(BURST, bucket.left + (Math.max(0, at - bucket.at) / 1000) * REFILL_PER_S);
      buckets.set(address, { left: left >= 1 ? left - 1 : left, at });
      return left >= 1 ? undefined : Math.ceil((1 - left) / REFILL_PER_S);
    },
  };
}
