import { describe, expect, it } from '@jest/globals';
import { defaultEffect, effectText, endText, selectorParts, stateText } from './words.js';

const iss = 'https://idp.example';
const user = { iss, sub: 'alice' };

describe('what a rule selects', () => {
  it.each([
    [{ user }, [{ label: 'user', name: 'alice', of: iss }]],
    [{ user: { ...user, tenant: 't1' } }, [{ label: 'user', name: 'alice (tenant t1)', of: iss }]],
    [
      { resource: 'https://api.example', agent: { iss, id: 'bot' } },
      [
        { label: 'agent', name: 'bot', of: iss },
        { label: 'resource', name: 'https://api.example' },
      ],
    ],
    [{ token: { iss, jti: 'j' } }, [{ label: 'token', name: 'j', of: iss }]],
    [{ id_jag: { sha256: 'abc' } }, [{ label: 'ID-JAG with SHA-256', name: 'abc' }]],
    [{ token: { signing_input_sha256: 'abc' } }, [{ label: 'token with signing input SHA-256', name: 'abc' }]],
    [{ user, issuer: iss }, [{ label: 'user', name: 'alice', of: iss }]],
    [
      { user, issuer: 'https://as.example' },
      [
        { label: 'user', name: 'alice', of: iss },
        { label: 'issuer', name: 'https://as.example' },
      ],
    ],
    [{ all: true as const }, [{ label: 'everything' }]],
  ])('%j', (selector, expected) => expect(selectorParts(selector)).toEqual(expected));

  it('has further values', () => {
    const parts = selectorParts(
      { client: { iss, client_id: 'a' } },
      { client: [{ iss, client_id: 'b' }], resource: ['r'] },
    );
    expect(parts.map(({ label, name }) => `${label} ${name}`)).toEqual(['client a', 'or client b', 'or resource r']);
  });
});

describe('what a rule does', () => {
  it.each([
    [{ effect: 'block', selector: { user } }, /, until somebody lifts it\.$/],
    [{ effect: 'block', selector: { user }, until: '4h' }, /, for 4 hours\. .*stays revoked\.$/],
    [{ effect: 'block', selector: { user }, until: '1d', resume: true }, /, for 1 day\. .*all of it works again\.$/],
    [{ effect: 'block', selector: { user }, until: '2026-12-01T09:00:00Z' }, /, until 2026-12-01 09:00:00 UTC\./],
    [{ effect: 'revoke', selector: { session: { iss, sid: 's' } } }, /^Stops it for ever/],
    [{ effect: 'revoke', selector: { user } }, /granted until now\. What is granted later works\./],
    [{ effect: 'revoke', selector: { user }, reauthenticate: true }, /must have signed in again/],
  ] as const)('%j', (terms, expected) => expect(effectText(terms)).toMatch(expected));

  it('a rule on an identity revokes, any other blocks', () => {
    expect([defaultEffect({ token: { sha256: 'a' } }), defaultEffect({ user })]).toEqual(['revoke', 'block']);
  });
});

describe('how a rule stands', () => {
  const lift = { at: '2026-12-01T09:00:00Z', resume: false, reason: 'r', author: { caller: 'a' }, in_force: false };
  it.each([
    [{ state: 'live', in_force: true }, 'in force'],
    [{ state: 'live', in_force: false }, 'not yet in force'],
    [{ state: 'lifted', in_force: false, lift }, 'lift under way'],
    [{ state: 'lifted', in_force: false, lift: { ...lift, in_force: true } }, 'lifted'],
    [{ state: 'turned-revoke', in_force: true }, 'ended, revokes'],
    [{ state: 'expired', in_force: false }, 'over'],
  ] as const)('%j', (rule, expected) => expect(stateText(rule)).toBe(expected));

  it.each([
    [undefined, undefined],
    [{ by: 'lift', at: 'x', leaves: 'nothing' }, 'It was lifted. It stops nothing any more.'],
    [
      { by: 'until', at: 'x', leaves: 'revoke', before: '2026-12-01T09:00:00Z' },
      'Its end came. What was granted until 2026-12-01 09:00:00 UTC stays revoked. What is granted later works.',
    ],
  ] as const)('an end: %j', (ended, expected) => expect(endText({ ended })).toBe(expected));
});
