import { describe, expect, it } from '@jest/globals';
import { every, fixMoments, isOfPast, msOf, readMomentSearch, timeOf } from './moment.js';

const NOW = Date.parse('2026-11-24T09:00:00Z');

describe('the moments of a URL', () => {
  it.each([
    [{ at: '7d' }, { at: '7d' }],
    [
      { at: '2026-11-20T09:00:00Z', against: '90m' },
      { at: '2026-11-20T09:00:00Z', against: '90m' },
    ],
    [{ at: '2026-13-20T09:00:00Z' }, {}],
    [{ at: '2026-11-20T09:00:00+01:00', against: 'yesterday' }, {}],
    [{ at: 1234, against: ['7d'] }, {}],
    [{ at: '999999d' }, {}],
  ])('of %j are %j', (given, expected) => expect(readMomentSearch(given)).toEqual(expected));

  it.each([
    ['no moment', {}, undefined],
    ['times', { at: '2026-11-20T09:00:00Z', against: '2026-11-19T09:00:00Z' }, undefined],
    ['a duration before now', { at: '1h' }, { at: '2026-11-24T08:00:00Z' }],
    ['a duration before now, compared', { against: '1d' }, { against: '2026-11-23T09:00:00Z' }],
    [
      'a duration before the moment that is shown',
      { at: '2026-11-20T09:00:00Z', against: '1w' },
      { at: '2026-11-20T09:00:00Z', against: '2026-11-13T09:00:00Z' },
    ],
    ['two durations', { at: '1d', against: '1d' }, { at: '2026-11-23T09:00:00Z', against: '2026-11-22T09:00:00Z' }],
  ])('are fixed: %s', (_, search, fixed) => expect(fixMoments(search, NOW)).toEqual(fixed));

  it('are times that a URL may have again', () => {
    expect(readMomentSearch({ at: timeOf(NOW + 999) })).toEqual({ at: '2026-11-24T09:00:00Z' });
    expect(msOf('2026-11-24T09:00:00.250Z', 0)).toBe(NOW + 250);
  });
});

describe('a question', () => {
  const asked = (query?: object) => ({
    queryKey: ['get', '/v1/users', ...(query ? [{ params: { query } }] : [])] as const,
  });
  it.each([
    ['as of a moment', { as_of: '2026-11-20T09:00:00Z' }, true],
    ['until a moment', { since: '1d', until: '2026-11-20T09:00:00Z' }, true],
    ['of now', { since: '1d', as_of: undefined, until: undefined }, false],
    ['without a query', undefined, false],
  ])('%s is about the past: %#', (_, query, isPast) => {
    expect(isOfPast(asked(query))).toBe(isPast);
    expect(every(30_000)(asked(query))).toBe(isPast ? false : 30_000);
  });
});
