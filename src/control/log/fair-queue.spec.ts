import { describe, expect, it } from '@jest/globals';
import { createFairQueue } from './fair-queue.js';

describe('a fair queue', () => {
  it('lets owners take turns, and keeps the order of each', () => {
    const sut = createFairQueue<string>(() => 1);
    for (let nth = 0; nth < 1_000; nth++) sut.push('greedy', `g${nth}`);
    sut.push('modest', 'm0');
    sut.push('other', 'o0');
    expect(sut.take(5)).toEqual(['g0', 'm0', 'o0', 'g1', 'g2']);
    sut.push('modest', 'm1');
    expect(sut.take(3)).toEqual(['g3', 'm1', 'g4']);
    expect(sut.size).toBe(995);
  });

  it('takes no more than there is room for, but never nothing', () => {
    const sut = createFairQueue<number>((weight) => weight);
    for (const weight of [100, 3, 3, 3]) sut.push('one', weight);
    expect([sut.take(6), sut.take(6), sut.take(6), sut.take(6)]).toEqual([[100], [3, 3], [3], []]);
    expect(sut.size).toBe(0);
  });
});
