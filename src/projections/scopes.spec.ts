import { describe, expect, it } from '@jest/globals';
import { sumEdges, type GrantState } from './grants/edge-writes.js';
import { addScopes, MORE_SCOPES } from './scopes.js';
import type { Version } from './versions.js';

const numbered = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `file:${from + n}:read`);

describe('the scopes that are kept', () => {
  it('are those that were said, each once, sorted', () => {
    expect(addScopes(['b'], ['c', 'a', 'b', 'a'])).toEqual(['a', 'b', 'c']);
  });

  it('are the very same where nothing is added', () => {
    const kept = ['a', 'b'];
    expect(addScopes(kept, ['b', 'a'])).toBe(kept);
    expect(addScopes(kept, [])).toBe(kept);
  });

  it('are a hundred, in the order they came; that there are more is said once, last', () => {
    const full = addScopes(addScopes([], numbered(0, 60)), numbered(60, 40));
    expect(full).toEqual(numbered(0, 100).sort());
    expect(addScopes(full, numbered(7, 3))).toBe(full);
    const over = addScopes(full, numbered(100, 2));
    expect(over).toEqual([...full, MORE_SCOPES]);
    expect(addScopes(over, numbered(500, 100))).toBe(over);
  });

  it('are no more characters than one token holds', () => {
    const long = Array.from({ length: 17 }, (_, n) => String.fromCharCode(97 + n).repeat(255));
    expect(addScopes([], long)).toEqual([...long.slice(0, 16), MORE_SCOPES]);
    expect(addScopes([], long.slice(0, 16))).toEqual(long.slice(0, 16));
  });

  it('of a grant from before there was a bound stay', () => {
    const many = numbered(0, 300).sort();
    expect(addScopes(many, ['new'])).toEqual([...many, MORE_SCOPES]);
  });
});

describe('what versions add to an edge', () => {
  const version = (
    key: string,
    from: bigint,
    scopes: readonly string[],
    agent: number | null = null,
  ): Version<GrantState> => ({ key, from, to: undefined, state: { scopes, agent } });
  const edgeOf = () => ({ tenant: 't', client: 1, res: 2 });

  it('is each scope and agent once, with the index that brought it first', () => {
    const before = new Map([['ann', version('ann', 1n, ['read'])]]);
    const opened = [
      version('ben', 6n, ['read', 'write'], 9),
      version('ann', 5n, ['admin', 'read'], 9),
      version('ann', 7n, ['admin', 'read', 'write'], 9),
    ];
    expect(sumEdges(opened, before, edgeOf)).toEqual({
      grants: [{ ...edgeOf(), ix: 6n, more: 1 }],
      scopes: [
        { ...edgeOf(), scope: 'admin', ix: 5n },
        { ...edgeOf(), scope: 'read', ix: 6n },
        { ...edgeOf(), scope: 'write', ix: 6n },
      ],
      agents: [{ ...edgeOf(), agent: 9, ix: 5n }],
    });
  });
});
