import { describe, expect, it } from '@jest/globals';
import { read, sources } from './source-tree.js';

/** A number of an advisory lock, as sources declare it. */
const LOCK = /^const (\w+_LOCK) = '?([\d_]+)'?;$/gm;

const locks = sources().flatMap((file) =>
  [...read(file).matchAll(LOCK)].map(([, name, number]) => ({ name: name!, number: number!.replaceAll('_', '') })),
);

describe('numbers of advisory locks', () => {
  it('are one for each right, so that no worker waits for another', () => {
    expect(locks.length).toBeGreaterThan(5);
    const isShared = ({ number }: { number: string }) => locks.filter((other) => other.number === number).length > 1;
    expect(locks.filter(isShared)).toEqual([]);
  });
});
