import { describe, expect, it } from '@jest/globals';
import { meetsCold, type UsesRead } from './uses-read.js';

const BOUNDS = { endIx: 32_768n, endAt: 1_000n };

describe('a read', () => {
  it.each<[string, UsesRead]>([
    ['of everything', {}],
    ['from the last cold second on', { from: 999, to: 2_000 }],
    ['of what came or was bound at the last index', { since: 32_767n }],
    ['behind the index before the last', { behind: 32_766n }],
    ['of the block of the last index', { blocks: [7, 1] }],
    ['of one entry below the end', { entries: ['40000', '32767'] }],
    ['of a name, as of a later index', { index: 100_000n, usr: [1] }],
  ])('%s may select cold uses', (_, read) => {
    expect(meetsCold(BOUNDS, read)).toBe(true);
  });

  it.each<[string, UsesRead]>([
    ['of later times', { from: '1000' }],
    ['of no time', { from: 500, to: 500 }],
    ['of what came or was bound later', { since: 32_768n }],
    ['behind the last index', { behind: 32_767n }],
    ['of later blocks', { blocks: [2, 3] }],
    ['of no block', { blocks: [] }],
    ['of later entries', { entries: ['32768'] }],
    ['of no name', { usr: [] }],
    ['of no token', { tok: [] }],
  ])('%s selects none', (_, read) => {
    expect(meetsCold(BOUNDS, read)).toBe(false);
  });
});
