import { describe, expect, it } from '@jest/globals';
import { MAX_LINEAGE_HOPS, type StoredLineage, type StoredToken } from '../../projections/index.js';
import { ruleKey, type RuleKey } from '../../rules/index.js';
import { lineageAsOf } from './lineage-as-of.js';

const TENANT_KEY = Buffer.alloc(32, 1);
const keyOf = (name: string): RuleKey => ruleKey(TENANT_KEY, 'token', [name]);
const token = (name: string, ix: number, parent?: string): StoredToken => ({
  key: keyOf(name),
  ix: BigInt(ix),
  seenSeq: 0n,
  source: 'ras',
  facts: { kind: 'access', iss: 'https://as.example', jti: name, client_id: 'c', aud: [], iat: 1, exp: 2 },
  conflict: false,
  parentKey: parent === undefined ? undefined : keyOf(parent),
  idJagKey: undefined,
});
const lineage = (...tokens: StoredToken[]): StoredLineage => ({ tokens, idJags: [], complete: true, broken: true });
const brokenAt = (whole: StoredLineage, index: number): boolean => lineageAsOf(whole, TENANT_KEY, BigInt(index)).broken;

describe('a lineage as of an index', () => {
  it('is broken by a cycle from the index at which the last of its tokens is known', () => {
    const cycle = lineage(token('a', 1, 'b'), token('b', 5, 'a'));
    expect([2, 5, 6].map((index) => brokenAt(cycle, index))).toEqual([false, false, true]);
  });

  it('is broken by too many hops as soon as they are named, whether or not the last token has come', () => {
    const chain = Array.from({ length: MAX_LINEAGE_HOPS + 1 }, (_, nth) => token(`t${nth}`, nth + 1, `t${nth + 1}`));
    const whole = lineage(...chain, token('t9', 30));
    expect([2, MAX_LINEAGE_HOPS + 1, MAX_LINEAGE_HOPS + 2].map((index) => brokenAt(whole, index))).toEqual([
      false,
      false,
      true,
    ]);
  });
});
