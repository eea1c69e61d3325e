import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createKeyedHash } from './keyed-hash.js';

const plainly = (key: Uint8Array, text: string, bytes: number): string => createHmac('sha256', key).update(text).digest().toString('latin1', 0, bytes);

describe('the keyed hash', () => {
  it('is HMAC-SHA-256, for keys and texts of any length, whatever was hashed before', () => {
    const texts = fc.array(fc.oneof(fc.string({ unit: 'binary', maxLength: 100 }), fc.string({ unit: 'grapheme', minLength: 400, maxLength: 700 })), { maxLength: 6 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 130 }), texts, (key, all) => {
        const keyed = createKeyedHash(key);
        for (const text of all) expect(keyed(text, 16)).toBe(plainly(key, text, 16));
      }),
    );
  });

  it.each([63, 64, 65])('is so for a key of %i bytes', (length) => {
    const key = Buffer.alloc(length, 7);
    expect(createKeyedHash(key)('text', 32)).toBe(plainly(key, 'text', 32));
  });

  it.each([511, 512, 513])('is so for %i characters of three bytes', (length) => {
    const key = Buffer.alloc(32, 7);
    expect(createKeyedHash(key)('€'.repeat(length), 16)).toBe(plainly(key, '€'.repeat(length), 16));
  });
});
