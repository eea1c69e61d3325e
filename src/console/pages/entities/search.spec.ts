import { describe, expect, it } from '@jest/globals';
import { readEntitySearch, readListSearch } from './search.js';

const known = (search: object) => Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));

describe('the search of a list', () => {
  it.each([
    [{}, {}],
    [
      { q: ' lee ', sort: 'last_used', order: 'asc' },
      { q: 'lee', sort: 'last_used', order: 'asc' },
    ],
    [
      { q: 7, owner: 'missing', new_since: '7d' },
      { q: '7', owner: 'missing', new_since: '7d' },
    ],
    [{ q: ' ', owner: 'me', new_since: 'yesterday', sort: 'name', order: 'up' }, {}],
  ])('%j', (given, expected) => expect(known(readListSearch(given))).toEqual(expected));
});

describe('the search of an entity', () => {
  it.each([
    [
      { from: '2026-11-20T09:00:00Z', to: '1d', lines: 'use' },
      { from: '2026-11-20T09:00:00Z', to: '1d', lines: 'use' },
    ],
    [{ from: 3, to: '2026', lines: ['use'] }, {}],
  ])('%j', (given, expected) => expect(known(readEntitySearch(given))).toEqual(expected));
});
