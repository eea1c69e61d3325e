import { describe, expect, it } from '@jest/globals';
import { createProofMemory } from './proof-memory.js';

const KEEP_MS = 100;

describe('a memory of proofs', () => {
  it('tells a repeated proof while it is kept, and no longer', () => {
    const sut = createProofMemory({ keepMs: KEEP_MS, maxProofs: 8 });
    expect(sut.remember('key', 'one', 0)).toBe('new');
    expect(sut.remember('key', 'one', KEEP_MS)).toBe('repeated');
    expect(sut.remember('key', 'one', KEEP_MS + 1)).toBe('new');
  });

  it('tells the proofs of one key from those of another, and one name from another', () => {
    const sut = createProofMemory({ keepMs: KEEP_MS, maxProofs: 16 });
    const said = [
      ['a', 'b'],
      ['a', 'c'],
      ['b', 'b'],
      ['ab', ''],
    ].map(([jkt, jti]) => sut.remember(jkt!, jti!, 0));
    expect([said, sut.size]).toEqual([['new', 'new', 'new', 'new'], 4]);
  });

  it('gives one key a quarter of it, at least one proof', () => {
    const sut = createProofMemory({ keepMs: KEEP_MS, maxProofs: 8 });
    expect(['1', '2', '3'].map((jti) => sut.remember('greedy', jti, 0))).toEqual(['new', 'new', 'full']);
    expect(sut.remember('honest', '1', 0)).toBe('new');
    const small = createProofMemory({ keepMs: KEEP_MS, maxProofs: 2 });
    expect(['1', '2'].map((jti) => small.remember('greedy', jti, 0))).toEqual(['new', 'full']);
  });

  it('a key has its share again when its proofs are forgotten, one by one', () => {
    const sut = createProofMemory({ keepMs: KEEP_MS, maxProofs: 8 });
    sut.remember('key', '1', 0);
    sut.remember('key', '2', 50);
    expect([
      sut.remember('key', '3', KEEP_MS),
      sut.remember('key', '3', KEEP_MS + 1),
      sut.remember('key', '4', KEEP_MS + 1),
      sut.size,
    ]).toEqual(['full', 'new', 'full', 2]);
    expect([sut.remember('key', '4', 151), sut.remember('key', '5', 151), sut.size]).toEqual(['new', 'full', 2]);
  });

  it('takes no proof that it has no room for, of whichever key', () => {
    const sut = createProofMemory({ keepMs: KEEP_MS, maxProofs: 4 });
    expect(['a', 'b', 'c', 'd', 'e'].map((jkt) => sut.remember(jkt, '1', 0))).toEqual([
      'new',
      'new',
      'new',
      'new',
      'full',
    ]);
    expect([sut.remember('a', '1', 0), sut.size]).toEqual(['repeated', 4]);
  });
});
