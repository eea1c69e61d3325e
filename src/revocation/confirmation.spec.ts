import { describe, expect, it } from '@jest/globals';
import type { Selector } from '../rules/index.js';
import {
  askedOf,
  isConfirmed,
  isConfirmedUncounted,
  isMany,
  mayBeWide,
  refuseEverything,
  refuseUnconfirmed,
  type Confirm,
} from './confirmation.js';
import type { Preview } from '../selection/index.js';

const counts = (users: number, tokens: number) => ({ users, tokens });

describe('which orders are asked about', () => {
  it.each([
    [counts(100, 400), counts(1_000, 4_000), undefined],
    [counts(101, 400), counts(1_000, 4_000), { by: 'users', number: 101, of: 1_000 }],
    [counts(100, 401), counts(1_000, 4_000), { by: 'tokens', number: 401, of: 4_000 }],
    [counts(0, 100), counts(0, 100), { by: 'tokens', number: 100, of: 100 }],
    [counts(19, 99), counts(19, 99), undefined],
    [counts(20, 99), counts(20, 99), { by: 'users', number: 20, of: 20 }],
    [counts(19, 100), counts(19, 100), { by: 'tokens', number: 100, of: 100 }],
    [counts(20, 0), null, { by: 'users', number: 20, of: null }],
    [counts(19, 99), null, undefined],
    // The total is counted a moment later, so it may be lower.
    [counts(50, 0), counts(40, 0), { by: 'users', number: 50, of: 50 }],
  ])('%j of %j: %j', (hits, all, asked) => {
    expect(askedOf(hits, all, 10)).toEqual(asked);
  });

  it.each([
    [counts(19, 99), false],
    [counts(20, 0), true],
    [counts(0, 100), true],
  ])('%j are many: %j', (hits, expected) => {
    expect(isMany(hits)).toBe(expected);
  });

  it.each<[Selector, boolean]>([
    [{ issuer: 'i' }, true],
    [{ resource: 'r' }, true],
    [{ agent_type: 't' }, true],
    [{ client: { iss: 'i', client_id: 'c' } }, true],
    [{ agent: { iss: 'i', id: 'a' } }, true],
    [{ user: { iss: 'i', sub: 's' } }, false],
    [{ issuer: 'i', user: { iss: 'i', sub: 's' } }, false],
    [{ session: { iss: 'i', sid: 's' } }, false],
    [{ id_jag: { iss: 'i', jti: 'j' } }, false],
    [{ token: { iss: 'i', jti: 'j' } }, false],
    [{ all: true }, false],
  ])('%j can hit many: %j', (selector, expected) => {
    expect(mayBeWide(selector)).toBe(expected);
  });
});

describe('the confirmation', () => {
  const asked = { by: 'users', number: 1_000, of: 4_000 } as const;
  it.each<[Confirm | undefined, number, boolean]>([
    [1_000, 1_000, true],
    [900, 1_000, true],
    [899, 1_000, false],
    [1_100, 1_000, true],
    [1_101, 1_000, false],
    [30, 20, true],
    [31, 20, false],
    [10, 20, true],
    [9, 20, false],
    [true, 1_000, false],
    ['uncounted', 1_000, false],
    [undefined, 1_000, false],
  ])('%j of %j holds: %j', (confirm, number, expected) => {
    expect(isConfirmed(confirm, { ...asked, number })).toBe(expected);
  });

  it.each<[Confirm | undefined, boolean]>([
    ['uncounted', true],
    [0, true],
    [true, false],
    [undefined, false],
  ])('%j goes on where nothing could be counted: %j', (confirm, expected) => {
    expect(isConfirmedUncounted(confirm)).toBe(expected);
  });

  const hits = {
    as_of: { index: '9' },
    tokens: 3,
    used_in_last_hour: 0,
    users: 1_000,
    grants: 0,
    connections: 0,
  } as Preview;
  it('is asked for with what the rule hits, and what to send', () => {
    const { detail, extensions } = refuseUnconfirmed(asked, hits, undefined);
    expect(detail).toBe(
      'the rule hits 1,000 of 4,000 users (25 %); nothing was ordered. If that is meant, send the same order with "confirm": 1000',
    );
    expect(extensions).toEqual({ confirm: 1_000, by: 'users', of: 4_000, hits });
    expect(refuseUnconfirmed(asked, hits, 5).detail).toContain('users (25 %), and `confirm` says 5; nothing');
    expect(
      refuseUnconfirmed({ by: 'tokens', number: 1_234_567, of: null }, { ...hits, at_least: true }, undefined).detail,
    ).toContain('hits at least 1,234,567 live tokens; nothing');
  });

  it('is asked for with the word that lets a rule select everything', () => {
    expect(refuseEverything()).toMatchObject({ code: 'confirmation-required', extensions: { confirm: true } });
  });
});
