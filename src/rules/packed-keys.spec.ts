import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { DIMENSIONS, packKeys, ruleKeyFromBytes, unpackKeys } from './index.js';

const key = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(ruleKeyFromBytes);
const sets = fc.array(fc.array(key, { maxLength: 8 }), { minLength: DIMENSIONS.length, maxLength: DIMENSIONS.length });

describe('packed keys', () => {
  it('unpack to the sets that were packed', () => {
    fc.assert(fc.property(sets, (some) => expect(unpackKeys(packKeys(some))).toEqual(some)));
  });

  it('take 16 characters a key and one a dimension', () => {
    fc.assert(
      fc.property(sets, (some) => {
        const { own, common } = packKeys(some);
        expect(own).toHaveLength(9 + 16 * some.slice(0, 4).flat().length);
        expect(common).toHaveLength(9 + 16 * some.slice(4).flat().length);
      }),
    );
  });
});
