import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { CallerSecret } from '../../control/index.js';

const SECRET_BYTES = 32;
const SECRET_PREFIX = 'rsk_';
const SECRET = /^rsk_[A-Za-z0-9_-]{43}$/;

/** A caller's secret: 256 random bits, so that a plain SHA-256 of it is as good as any slow hash. */
export const generateSecret = (): string => `${SECRET_PREFIX}${randomBytes(SECRET_BYTES).toString('base64url')}`;

export const isSecret = (text: string): boolean => SECRET.test(text);

/** SHA-256, base64url: what is stored of a secret, and what it is looked up by. */
export const secretDigest = (secret: string): string => hash('sha256', secret, 'base64url');

/** Both are digests of {@link secretDigest}, so both are 43 characters. */
export const equalDigests = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one, 'latin1'), Buffer.from(other, 'latin1'));

export const hasExpired = (secret: CallerSecret, seconds: number): boolean => secret.expires_at !== undefined && secret.expires_at <= seconds;
