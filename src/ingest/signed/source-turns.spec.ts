import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { createSourceTurns } from './source-turns.js';

describe('turns of sources', () => {
  it('let four checks of a source run at once, in order, and another source pass them', async () => {
    const sut = createSourceTurns();
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const check = (source: string, name: string): Promise<string> =>
      sut.take(source, () => {
        begun.push(name);
        return new Promise((resolve) => ends.push(() => resolve(name)));
      });
    const all = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'].map((name) => check('a', name));
    all.push(check('b', 'b1'));
    await turn();
    expect(begun).toEqual(['a1', 'a2', 'a3', 'a4', 'b1']);
    ends[1]!();
    await turn();
    expect(begun).toEqual(['a1', 'a2', 'a3', 'a4', 'b1', 'a5']);
    for (let at = 0; at < ends.length; at++) {
      ends[at]!();
      await turn();
    }
    expect(await Promise.all(all)).toEqual(['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'b1']);
  });

  it('are handed on by a check that fails', async () => {
    const sut = createSourceTurns();
    const failing = Array.from({ length: 5 }, () => sut.take('a', () => Promise.reject(new Error('no'))));
    expect((await Promise.allSettled(failing)).map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
    expect(await sut.take('a', async () => 'yes')).toBe('yes');
  });
});
