import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Options of DPoP nonces (RFC 9449, 9). */
export interface NonceOptions {
  /** At least 32 bytes, the same in every process that serves the resource. Default: random, for this process alone. */
  readonly secret?: Uint8Array;
  /** Seconds during which one nonce is issued; it is accepted for one period more. Default 60. */
  readonly periodS?: number;
}

export const DEFAULT_NONCE_PERIOD_S = 60;
const MIN_SECRET_BYTES = 32;

/** Issues and checks nonces (RFC 9449, 9) without storing them: a nonce is an HMAC of the period. */
export interface Nonces {
  current(now: number): string;
  /** Checks a nonce at `now` (epoch milliseconds). `previous`: accepted, and the client should be given the current nonce. */
  check(nonce: unknown, now: number): 'current' | 'previous' | 'wrong';
}

export function createNonces({
  secret = randomBytes(MIN_SECRET_BYTES),
  periodS = DEFAULT_NONCE_PERIOD_S,
}: NonceOptions): Nonces {
  if (secret.length < MIN_SECRET_BYTES)
    throw new TypeError(`\`nonce.secret\` must have at least ${MIN_SECRET_BYTES} bytes`);
  if (!(periodS > 0)) throw new TypeError('`nonce.periodS` must be above 0');
  const periodOf = (now: number): number => Math.floor(now / (periodS * 1000));
  const nonceOf = (period: number): string =>
    createHmac('sha256', secret).update(`dpop-nonce\0${period}`).digest('base64url').slice(0, 22);
  return {
    current: (now) => nonceOf(periodOf(now)),
    check(nonce, now) {
      if (typeof nonce !== 'string') return 'wrong';
      if (isSame(nonce, nonceOf(periodOf(now)))) return 'current';
      return isSame(nonce, nonceOf(periodOf(now) - 1)) ? 'previous' : 'wrong';
    },
  };
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
