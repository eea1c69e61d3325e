import { describe, expect, it } from '@jest/globals';
import {
  MAX_IDENTIFIER_LENGTH,
  MAX_TIME_SECONDS,
  MIN_TIME_SECONDS,
  RescindError,
  timeText,
} from '../contracts/index.js';
import { readLift, readOrder, readPreview } from './order-input.js';

const NOW = 1_790_000_000;
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const JWT = `${encode({ alg: 'ES256', typ: 'at+jwt' })}.${encode({ sub: 'alice' })}.c2lnbmF0dXJl`;
const USER = { user: { iss: 'https://idp.example', sub: 'alice' } };
const order = (more: object = {}) => readOrder({ selector: USER, reason: 'left the company', ...more }, NOW);
const codeOf = (read: () => unknown): string | undefined => {
  try {
    read();
    return undefined;
  } catch (error) {
    return error instanceof RescindError ? error.code : String(error);
  }
};

describe('an order', () => {
  it.each<[string, object, string]>([
    ['a user', USER, 'block'],
    ['a client', { client: { iss: 'https://idp.example', client_id: 'wiki' } }, 'block'],
    ['an agent type', { agent_type: 'coder' }, 'block'],
    ['a resource', { resource: 'https://api.example' }, 'block'],
    ['a token', { token: { iss: 'https://ras.example', jti: 'a' } }, 'revoke'],
    ['an ID-JAG', { id_jag: { iss: 'https://idp.example', jti: 'a' } }, 'revoke'],
    ['a session', { session: { iss: 'https://idp.example', sid: 'a' } }, 'revoke'],
    ['a session and a user', { ...USER, session: { iss: 'https://idp.example', sid: 'a' } }, 'revoke'],
  ])('on %s defaults to what keeps it off', (_, selector, effect) => {
    expect(order({ selector }).effect).toBe(effect);
  });

  it('carries what was told, and nothing that was not', () => {
    expect(order()).toStrictEqual({
      selector: USER,
      effect: 'block',
      reauthenticate: false,
      reason: 'left the company',
    });
    expect(order({ effect: 'revoke', before: NOW, reauthenticate: true, on_behalf_of: 'bob' })).toStrictEqual({
      selector: USER,
      effect: 'revoke',
      before: NOW,
      reauthenticate: true,
      reason: 'left the company',
      on_behalf_of: 'bob',
    });
    expect(order({ confirm: false })).not.toHaveProperty('confirm');
    for (const confirm of [true, 0, 4_551, 'uncounted']) expect(order({ confirm }).confirm).toBe(confirm);
    expect(order({ until: NOW + 1 }).until).toBe(NOW + 1);
    expect(order({ until: NOW + 1, resume: true }).resume).toBe(true);
    expect(order({ effect: 'revoke', before: MIN_TIME_SECONDS }).before).toBe(MIN_TIME_SECONDS);
    expect(order({ until: MAX_TIME_SECONDS }).until).toBe(MAX_TIME_SECONDS);
    expect(order({ until: '8h' }).until).toBe(NOW + 8 * 3_600);
    expect(order({ effect: 'revoke', before: '2h' }).before).toBe(NOW - 2 * 3_600);
    for (const until of [String(NOW + 1), `@${NOW + 1}`, timeText(NOW + 1)])
      expect(order({ until }).until).toBe(NOW + 1);
    expect(order({ reason: 'x'.repeat(1_024), on_behalf_of: 'b'.repeat(MAX_IDENTIFIER_LENGTH) })).toMatchObject({
      reason: 'x'.repeat(1_024),
      on_behalf_of: 'b'.repeat(MAX_IDENTIFIER_LENGTH),
    });
    const four = { ...USER, agent_type: 'a', resource: 'https://api.example', issuer: 'https://ras.example' };
    expect(order({ selector: four }).selector).toEqual(four);
    expect(order({ selector: { all: true }, confirm: true }).selector).toEqual({ all: true });
  });

  it.each<[string, object, string]>([
    ['an empty selector', { selector: {} }, 'empty-selector'],
    ['no selector', { selector: undefined }, 'invalid-selector'],
    ['an unknown member', { selector: { planet: 'mars' } }, 'invalid-selector'],
    ['a member without its issuer', { selector: { user: { sub: 'alice' } } }, 'invalid-selector'],
    ['a digest of other bytes', { selector: { token: { sha256: 'AAAA' } } }, 'invalid-selector'],
    ['everything and a user', { selector: { all: true, ...USER } }, 'contradictory-selector'],
    [
      'five members',
      { selector: { ...USER, agent_type: 'a', resource: 'b', issuer: 'c', session: {} } },
      'selector-too-long',
    ],
    ['everything, unconfirmed', { selector: { all: true } }, 'confirmation-required'],
    ['no reason', { reason: undefined }, 'reason-required'],
    ['an empty reason', { reason: '' }, 'reason-required'],
    ['a reason that is no text', { reason: 7 }, 'invalid-request'],
    ['a reason of a page', { reason: 'x'.repeat(1_025) }, 'invalid-request'],
    ['another effect', { effect: 'delete' }, 'invalid-effect'],
    ['a moment in the future', { effect: 'revoke', before: NOW + 1 }, 'time-not-past'],
    ['a moment in milliseconds', { effect: 'revoke', before: NOW * 1000 }, 'time-out-of-range'],
    ['a moment before 2000', { effect: 'revoke', before: MIN_TIME_SECONDS - 1 }, 'time-out-of-range'],
    ['an end after 2100', { until: MAX_TIME_SECONDS + 1 }, 'time-out-of-range'],
    ['an end within a second', { until: NOW + 0.5 }, 'invalid-request'],
    ['an end in words', { until: 'tomorrow' }, 'invalid-request'],
    ['a date in the past as an end', { until: '2020-01-01' }, 'time-not-future'],
    ['a moment of a block', { before: NOW }, 'invalid-effect'],
    ['a new sign-in after a block', { reauthenticate: true }, 'invalid-effect'],
    ['an end in the past', { until: NOW }, 'time-not-future'],
    ['an end of a revoke', { effect: 'revoke', until: NOW + 1 }, 'invalid-effect'],
    ['a resumption', { resume: true }, 'invalid-effect'],
    ['a member that nobody knows', { urgency: 'high' }, 'invalid-request'],
    ['everything, confirmed by a number', { selector: { all: true }, confirm: 7 }, 'confirmation-required'],
    ['another word of confirmation', { confirm: 'yes' }, 'invalid-request'],
    ['a negative number', { confirm: -1 }, 'invalid-request'],
    ['a part of a user', { confirm: 1.5 }, 'invalid-request'],
    ['a flag that is none', { reauthenticate: 'yes' }, 'invalid-request'],
    ['a token in its reason', { reason: `seen: ${JWT}` }, 'token-in-request'],
    ['a secret in its reason', { reason: `rsk_${'a'.repeat(43)} leaked` }, 'token-in-request'],
    ['a path with a token in its reason', { reason: '/files?access_token=mF_9.B5f-4.1JqM8kPz2' }, 'token-in-request'],
    ['a token as the person', { on_behalf_of: JWT }, 'token-in-request'],
    ['a token in its selector', { selector: { token: { iss: 'https://ras.example', jti: JWT } } }, 'token-in-request'],
    [
      'a moment, on a session',
      { selector: { ...USER, session: { iss: 'https://idp.example', sid: 'a' } }, effect: 'revoke', before: NOW },
      'invalid-effect',
    ],
    ['a person without a name', { on_behalf_of: '' }, 'invalid-request'],
    ['a person who is no text', { on_behalf_of: 7 }, 'invalid-request'],
    ['a person with too long a name', { on_behalf_of: 'b'.repeat(MAX_IDENTIFIER_LENGTH + 1) }, 'invalid-request'],
    ['a reason of blanks', { reason: '  ' }, 'invalid-request'],
    ['a selector that is no object', { selector: [] }, 'invalid-selector'],
  ])('with %s is refused', (_, more, code) => {
    expect(codeOf(() => order(more))).toBe(code);
  });

  it.each([undefined, null, [], 'all', 7])('is an object, not %p', (body) => {
    expect(codeOf(() => readOrder(body, NOW))).toBe('invalid-request');
  });
});

describe('an unknown member', () => {
  it('is named by its first 64 characters', () => {
    expect(() => order({ ['x'.repeat(10_000)]: 1 })).toThrow(
      expect.objectContaining({ detail: `unknown member: ${'x'.repeat(64)}` }),
    );
  });
});

describe('a preview', () => {
  it('needs no reason and no confirmation', () => {
    expect(readPreview({ selector: { all: true } }, NOW)).toStrictEqual({
      selector: { all: true },
      effect: 'block',
      reauthenticate: false,
      reason: 'preview',
      confirm: true,
    });
    expect(readPreview({ selector: USER, reason: 'left the company' }, NOW).reason).toBe('left the company');
  });

  it.each([undefined, null, [], 'all'])('is refused like an order: %p', (body) => {
    expect(codeOf(() => readPreview(body, NOW))).toBe('invalid-request');
    expect(codeOf(() => readPreview({ selector: { planet: 'mars' } }, NOW))).toBe('invalid-selector');
  });
});

describe('a lift', () => {
  it('does not resume unless told to', () => {
    expect(readLift(undefined)).toStrictEqual({ resume: false, reason: 'lifted without a stated reason' });
    expect(codeOf(() => readLift([]))).toBe('invalid-request');
    expect(readLift({ resume: true, reason: 'false alarm', on_behalf_of: 'bob' })).toEqual({
      resume: true,
      reason: 'false alarm',
      on_behalf_of: 'bob',
    });
    expect(codeOf(() => readLift({ resume: 'yes' }))).toBe('invalid-request');
    expect(codeOf(() => readLift({ effect: 'revoke' }))).toBe('invalid-request');
    expect(codeOf(() => readLift({ reason: JWT }))).toBe('token-in-request');
    expect(codeOf(() => readLift({ on_behalf_of: JWT }))).toBe('token-in-request');
  });
});
