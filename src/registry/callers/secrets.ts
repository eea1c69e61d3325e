import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { CallerSecret } from '../../control/index.js';

const SECRET_BYTES = 32;
const SECRET_PREFIX = 'rsk_';
const SECRET = /^rsk_[A-Za-z0-9_-]{43}$/;

/** Generates a caller's secret: 256 random bits, for which a plain SHA-256 is as safe as a slow hash. */
export const generateSecret = (): string => `${SECRET_PREFIX}${randomBytes(SECRET_BYTES).toString('base64url')}`;

export const isSecret = (text: string): boolean => SECRET.test(text);

/** Computes the SHA-256 (base64url) under which a secret is stored and looked up. */
export const secretDigest = (secret: string): string => hash('sha256', secret, 'base64url');

/** Compares two digests of {@link secretDigest} (43 characters each) in constant time. */
export const equalDigests = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one, 'latin1'), Buffer.from(other, 'latin1'));

export const hasExpired = (secret: CallerSecret, seconds: number): boolean =>
  secret.expires_at !== undefined && secret.expires_at <= seconds;
