import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { keyedHash } from './keyed-hash.js';

const reference = (key: Uint8Array, message: string): string =>
  createHmac('sha256', key).update(message).digest('binary');

describe('keyedHash', () => {
  it.each([0, 1, 32, 63, 64, 65, 200])('is HMAC-SHA-256 under a key of %i bytes', (size) => {
    const key = Buffer.alloc(size, 0xa7);
    for (const message of ['', 'a', 'Grüße, 世界 🙂', 'x'.repeat(5_000), 'short again'])
      expect(keyedHash(key, message, 32)).toBe(reference(key, message));
  });

  it('keeps two keys apart, used in turns', () => {
    const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    expect([keyedHash(one, 'm', 16), keyedHash(other, 'm', 16), keyedHash(one, 'm', 16)]).toEqual(
      [one, other, one].map((key) => reference(key, 'm').slice(0, 16)),
    );
  });
});
