import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { ELEMENT_SALT_BYTES, readSignedBatch, writeSignedBatch } from './signed-batch.js';

const bytesOf = (constraints: { readonly minLength?: number; readonly maxLength: number }) =>
  fc.uint8Array(constraints).map((bytes) => Buffer.from(bytes));
const elements = fc.array(
  fc.record({
    salt: bytesOf({ minLength: ELEMENT_SALT_BYTES, maxLength: ELEMENT_SALT_BYTES }),
    bytes: bytesOf({ maxLength: 40 }).filter((bytes) => !bytes.includes('\n')),
  }),
  { minLength: 1, maxLength: 4 },
);

describe('a signed batch', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\w.-]*$/), elements, (manifest, all) => {
        expect(readSignedBatch(writeSignedBatch({ manifest, elements: all }))).toEqual({ manifest, elements: all });
      }),
    );
  });

  it('has one spelling: what is read is written as it came, whatever byte of it changed', () => {
    const bytes = writeSignedBatch({
      manifest: 'e30.e30.AA',
      elements: [1, 2].map((nth) => ({
        salt: Buffer.alloc(ELEMENT_SALT_BYTES, nth),
        bytes: Buffer.from(`{"n":${nth}}`),
      })),
    });
    const read = new Set<boolean>();
    for (let at = 0; at < bytes.length; at += 1)
      for (let byte = 0; byte < 256; byte += 1) {
        const changed = Buffer.from(bytes);
        changed[at] = byte;
        const batch = readSignedBatch(changed);
        read.add(batch !== undefined);
        if (batch) expect(writeSignedBatch(batch).equals(changed)).toBe(true);
      }
    expect([...read].toSorted()).toEqual([false, true]);
  });

  it.each([
    ['no event', 'manifest\n'],
    ['nothing', ''],
    ['no line feed', 'manifest'],
    ['no line feed at its end', `manifest\n${'A'.repeat(43)} {}`],
    ['a short salt', `manifest\n${'A'.repeat(42)} {}\n`],
    ['a long salt', `manifest\n${'A'.repeat(44)} {}\n`],
    ['a salt in another spelling', `manifest\n${'A'.repeat(42)}B {}\n`],
    ['an empty line', `manifest\n\n${'A'.repeat(43)} {}\n`],
  ])('with %s is none', (_what, text) => {
    expect(readSignedBatch(Buffer.from(text))).toBeUndefined();
  });
});
