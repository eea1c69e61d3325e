import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { TOKEN_PROFILE_PRESETS } from '../../contracts/index.js';
import { DEFAULT_TOKEN_PROFILE } from '../../control/index.js';
import { createReader, SourceInput } from '../inputs.js';
import { tokenProfile } from './profiles.js';

const API = 'https://api.chat.example';
const read = createReader(SourceInput);
/** Builds a profile from input as the API does. */
const profileOf = (profile: object) =>
  tokenProfile(read({ name: 'chat', uri: 'urn:chat', types: ['token.issued'], profile }).profile!, [API]);

describe('the token profile of a source', () => {
  it('is RFC 9068’s unless it is said otherwise', () => {
    expect([tokenProfile({}, []), profileOf({}), profileOf({ preset: 'rfc9068' })]).toEqual([
      DEFAULT_TOKEN_PROFILE,
      DEFAULT_TOKEN_PROFILE,
      DEFAULT_TOKEN_PROFILE,
    ]);
  });

  it.each<[string, object]>([
    ['a default resource that is another’s', { default_resource: 'https://api.crm.example' }],
    ['an ignored audience that is its resource', { ignored_audiences: ['account', API] }],
    ['tokens without an event that have to show an ID-JAG', { announced: 'optional' }],
    [
      'tokens without an event whose audience is the client',
      { preset: 'pingam', default_resource: API, announced: 'optional' },
    ],
  ])('refuses %s, since its members contradict each other or the resources', (_, profile) =>
    expect(() => profileOf(profile)).toThrow(expect.objectContaining({ code: 'inconsistent-request' })),
  );

  it.each(TOKEN_PROFILE_PRESETS)(
    'has the preset %s, which asks tokens of an ID-JAG for the RAS’s word, and can be sent back as it is shown',
    (preset) => {
      const profile = profileOf({ preset });
      expect(profile.lineage.id_jag).toBe('stated');
      expect(profileOf(profile)).toEqual(profile);
    },
  );

  it('lets members beside a preset change what it sets', () => {
    expect(profileOf({ preset: 'entra', skew: 30 })).toMatchObject({
      skew: 30,
      identity: ['uti'],
      max_token_lifetime: 100_800,
    });
    expect(profileOf({ preset: 'keycloak', lineage: { id_jag: 'confirmed' } }).lineage).toEqual({
      id_jag: 'confirmed',
      other: 'none',
    });
  });

  it('takes one value for both grants and one `typ`', () => {
    expect(profileOf({ preset: 'keycloak', lineage: 'confirmed', typ: 'JWT' })).toMatchObject({
      lineage: { id_jag: 'confirmed', other: 'confirmed' },
      typ: ['JWT'],
    });
  });

  it.each<[string, object]>([
    ['a preset that is none', { preset: 'octo' }],
    ['a demand that is none', { lineage: { id_jag: 'maybe' } }],
    ['a grant that is none', { lineage: { password: 'none' } }],
    ['the typ of an ID-JAG', { typ: ['JWT', 'application/OAuth-ID-JAG+jwt'] }],
    ['the typ of a logout token', { typ: 'logout+jwt' }],
    ['no typ at all', { typ: [] }],
    ['another word for announcing', { preset: 'okta', announced: 'never' }],
    ['an algorithm with a shared secret', { algorithms: ['HS256'] }],
    ['a claim that is not mapped', { claims: { sub: 'uid' } }],
    ['a member that is none', { audience: 'x' }],
  ])('refuses %s', (_, profile) =>
    expect(() => profileOf(profile)).toThrow(expect.objectContaining({ code: 'invalid-request' })),
  );

  it.each(TOKEN_PROFILE_PRESETS)('profiles.md has an example of %s', (preset) => {
    const page = readFileSync(new URL('../profiles.md', import.meta.url), 'utf8');
    expect(page.replaceAll('\\\n', ' ')).toMatch(
      new RegExp(`rescind source create.*--profile (?:${preset}|'\\{"preset":"${preset}".*\\}')\n`),
    );
  });

  it('asks for events, unless the profile says otherwise, whatever the preset', () => {
    expect(new Set(TOKEN_PROFILE_PRESETS.map((preset) => profileOf({ preset }).announced))).toEqual(
      new Set(['required']),
    );
    expect(profileOf({ preset: 'okta', announced: 'optional' })).toMatchObject({
      announced: 'optional',
      typ: [null],
      lineage: { other: 'none' },
    });
    expect(() => profileOf({ announced: 'optional' })).toThrow(
      expect.objectContaining({ detail: expect.stringContaining('`profile.lineage.other` is `none`') }),
    );
  });

  it('takes a resource of its own as the default', () =>
    expect(profileOf({ default_resource: API }).default_resource).toBe(API));
});
