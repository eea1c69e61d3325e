import { describe, expect, it } from '@jest/globals';
import { KEY_BYTES } from '../dimension.js';
import { createKeyPool } from './key-pool.js';

const MEMBERS = 2;
const key = (letter: string): string => letter.repeat(KEY_BYTES * MEMBERS);

describe('a pool of keys', () => {
  it.each(['add', 'copyFrom'] as const)(
    'puts a key into a place that was freed, and leaves its neighbours alone: %s',
    (way) => {
      const pool = createKeyPool(MEMBERS);
      const [first, middle, last] = ['a', 'b', 'c'].map((letter) => pool.add(key(letter))) as [number, number, number];
      const words = new Uint32Array(64).fill(0x78787878);
      pool.free(middle);
      expect(way === 'add' ? pool.add(key('x')) : pool.copyFrom(words, 8)).toBe(middle);
      expect([first, middle, last].map((position) => pool.text(position))).toEqual([key('a'), key('x'), key('c')]);
    },
  );

  it('copies a key out, and not a word more', () => {
    const pool = createKeyPool(MEMBERS);
    pool.add(key('a'));
    const out = new Uint32Array(24);
    pool.copyTo(pool.add(key('b')), out, 8);
    expect([...out].map((word) => word === 0x62626262)).toEqual(
      Array.from({ length: 24 }, (_, at) => at >= 8 && at < 16),
    );
  });
});
