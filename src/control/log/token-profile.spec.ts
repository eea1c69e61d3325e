import { describe, expect, it } from '@jest/globals';
import { versionOf, type NewControlRecord } from './records.js';
import {
  DEFAULT_TOKEN_PROFILE,
  readProfile,
  storedProfile,
  type StoredProfile,
  type TokenProfile,
} from './token-profile.js';

/** The default profile as releases up to record version 2 write it. */
const FIRST = {
  lineage: 'stated',
  max_token_lifetime: 86_400,
  skew: 5,
  typ: 'at+jwt',
  algorithms: ['ES256', 'EdDSA', 'PS256', 'RS256'],
} as const satisfies StoredProfile;

const versionWith = (profile: StoredProfile, over: object = {}): number =>
  versionOf({
    kind: 'source.changed',
    tenant: 't',
    subject: 's',
    body: { id: 's', profile, ...over },
  } as unknown as NewControlRecord);

describe('a profile in a control record', () => {
  it('of an older release is read with the defaults of what it could not say', () => {
    expect(readProfile(FIRST)).toEqual(DEFAULT_TOKEN_PROFILE);
    expect(readProfile({ ...FIRST, lineage: 'none', typ: 'JWT' })).toEqual({
      ...DEFAULT_TOKEN_PROFILE,
      lineage: { id_jag: 'none', other: 'none' },
      typ: ['JWT'],
    });
  });

  it('is spelled as an older release reads it where that says all of it', () => {
    expect([storedProfile(DEFAULT_TOKEN_PROFILE), versionWith(FIRST)]).toEqual([FIRST, 1]);
    const changed = {
      ...DEFAULT_TOKEN_PROFILE,
      skew: 60,
      lineage: { id_jag: 'confirmed', other: 'confirmed' },
      algorithms: ['RS256'],
    } as const;
    expect(storedProfile(changed)).toEqual({ ...FIRST, skew: 60, lineage: 'confirmed', algorithms: ['RS256'] });
    expect(versionWith(storedProfile(changed))).toBe(1);
  });

  it('of a source that must sign is of version 4, so that no older release takes its unsigned events', () => {
    expect(versionWith(FIRST, { signature: 'required' })).toBe(4);
  });

  it.each<[string, Partial<TokenProfile>]>([
    ['a demand for each grant', { lineage: { id_jag: 'stated', other: 'none' } }],
    ['two values of `typ`', { typ: ['JWT', 'at+jwt'] }],
    ['no `typ`', { typ: [null] }],
    ['a claim for the client', { claims: { client_id: 'aud' } }],
    ['another identity', { identity: ['uti'] }],
    ['the signing input as identity', { identity: [] }],
    ['two claims as identity', { identity: ['jti', 'uti'] }],
    ['a default resource', { default_resource: 'https://a.example' }],
    ['ignored audiences', { ignored_audiences: ['account'] }],
    ['tokens that need no event', { announced: 'optional' }],
    ['a later algorithm', { algorithms: ['RS256', 'ES384'] }],
  ])('with %s is of version 3, and read as it was written', (_, over) => {
    const profile = { ...DEFAULT_TOKEN_PROFILE, ...over };
    expect([versionWith(storedProfile(profile)), readProfile(storedProfile(profile))]).toEqual([3, profile]);
  });
});
