import { describe, expect, it } from '@jest/globals';
import { ruleKey } from './dimension.js';
import { erasedName, ERASED_PREFIX, plainUser, shownErased } from './erased-name.js';

const KEY = Buffer.alloc(32, 7);
const ALICE = ['https://idp.example', null, 'alice'] as const;
const LOCAL = ['https://as.example', 'acme', 'alice'] as const;

describe('an erased name', () => {
  const name = erasedName(KEY, [ALICE, LOCAL]);
  const at = ([iss, claim]: readonly (string | null)[], sub = name) => [iss!, claim!, sub] as const;

  it('has the key of the name that it stands for, at each of its issuers', () => {
    expect(ruleKey(KEY, 'user', at(ALICE))).toBe(ruleKey(KEY, 'user', ALICE));
    expect(ruleKey(KEY, 'user', at(LOCAL))).toBe(ruleKey(KEY, 'user', LOCAL));
    expect(erasedName(KEY, [ALICE])).not.toContain('alice');
  });

  it('is cut down to one issuer, and still has the key', () => {
    expect(plainUser(KEY, at(LOCAL))).toEqual(at(LOCAL, erasedName(KEY, [LOCAL])));
    expect(plainUser(KEY, at(ALICE, erasedName(KEY, [ALICE])))).toEqual(at(ALICE, erasedName(KEY, [ALICE])));
    expect(plainUser(KEY, LOCAL)).toBe(LOCAL);
  });

  it('is a name like any other under another issuer, tenant claim, dimension or key, or with a changed tag', () => {
    const own = ruleKey(KEY, 'user', ALICE);
    const bytes = Buffer.from(erasedName(KEY, [ALICE]).slice(ERASED_PREFIX.length), 'base64url');
    const forged = Buffer.from(bytes);
    forged[31]! ^= 1;
    const others = [
      ruleKey(KEY, 'user', ['https://evil.example', null, name]),
      ruleKey(KEY, 'user', ['https://idp.example', 'acme', name]),
      ruleKey(Buffer.alloc(32, 8), 'user', at(ALICE)),
      ruleKey(KEY, 'client', at(ALICE)),
      ruleKey(KEY, 'user', at(ALICE, ERASED_PREFIX + forged.toString('base64url'))),
      ruleKey(KEY, 'user', at(ALICE, ERASED_PREFIX + bytes.subarray(0, 16).toString('base64url'))),
      ruleKey(KEY, 'user', at(ALICE, ERASED_PREFIX)),
    ];
    expect(others).not.toContain(own);
    expect(new Set(others).size).toBe(others.length);
  });

  it('is shown by eight characters', () => {
    expect(shownErased(name)).toBe(name.slice(0, ERASED_PREFIX.length + 8));
    expect(shownErased('alice')).toBeUndefined();
    expect(shownErased(null)).toBeUndefined();
  });
});
