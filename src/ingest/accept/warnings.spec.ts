import { describe, expect, it } from '@jest/globals';
import type { TokenIssued } from '../../contracts/index.js';
import { DEFAULT_TOKEN_PROFILE, type Source, type TokenProfile } from '../../control/index.js';
import { warningsOf } from './warnings.js';

const RAS = 'https://ras.example';
const NOW = 1_800_000_000;

function codesOf(over: Partial<TokenIssued>, profile: Partial<TokenProfile> = {}): string[] {
  const data: TokenIssued = {
    kind: 'access',
    iss: RAS,
    jti: 'at-1',
    client_id: 'wiki',
    aud: ['https://api.example'],
    iat: NOW,
    exp: NOW + 300,
    id_jag: { iss: 'https://idp.example', sub: 'alice' },
    ...over,
  };
  const source = { profile: { ...DEFAULT_TOKEN_PROFILE, ...profile } } as Source;
  const warnings = warningsOf({ name: 'token.issued', event: { data } as never, source });
  for (const { detail } of warnings) expect(detail).not.toBe('');
  return warnings.map(({ code }) => code);
}

describe('the warnings of an accepted token', () => {
  it.each<[string, Partial<TokenIssued>, string[]]>([
    ['one that can be active', {}, []],
    ['one that lives as long as allowed', { exp: NOW + 86_400 }, []],
    ['one that lives a second too long', { exp: NOW + 86_401 }, ['lifetime-too-long']],
    ['a refresh token that lives longer', { kind: 'refresh', exp: NOW + 90_000 }, []],
    ['a refresh token without an end', { kind: 'refresh', exp: undefined }, []],
    ['one that ends as it begins', { exp: NOW }, ['expired']],
    ['one without an ID-JAG', { id_jag: undefined }, ['lineage-missing']],
    ['one whose parent may state the ID-JAG', { id_jag: undefined, parent: { iss: RAS, jti: 'rt-1' } }, []],
    ['all at once', { id_jag: undefined, exp: NOW + 90_000 }, ['lifetime-too-long', 'lineage-missing']],
  ])('%s', (_, over, codes) => expect(codesOf(over)).toEqual(codes));

  it('name the lineage that the profile demands, and no other', () => {
    expect(codesOf({ id_jag: undefined }, { lineage: { id_jag: 'stated', other: 'none' } })).toEqual([]);
    expect(codesOf({ id_jag: undefined }, { lineage: { id_jag: 'none', other: 'confirmed' } })).toEqual([
      'lineage-missing',
    ]);
  });
});
