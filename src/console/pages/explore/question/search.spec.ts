import { describe, expect, it } from '@jest/globals';
import { readExploreSearch } from './search.js';

/** Only what was read. */
const read = (given: Record<string, unknown>): object => JSON.parse(JSON.stringify(readExploreSearch(given)));

describe('the search of Explore', () => {
  it.each<[string, Record<string, unknown>, object]>([
    ['nothing', {}, {}],
    ['one name for a list', { measures: 'calls', by: 'user' }, { measures: ['calls'], by: ['user'] }],
    ['names that are not known', { measures: ['calls', 'x', 7], by: ['y'], chart: 'z' }, { measures: ['calls'] }],
    ['a name twice', { by: ['user', 'user'] }, { by: ['user'] }],
    [
      'more groups than the API takes',
      { by: ['user', 'client', 'agent', 'resource', 'day'] },
      { by: ['user', 'client', 'agent', 'resource'] },
    ],
    [
      'a filter with members that are not known',
      {
        filter: {
          operation: { equals: 'export', like: 'x' },
          colour: { equals: 'red' },
          user: 'x',
          status: { min: 400 },
        },
      },
      { filter: { operation: { equals: 'export' }, status: { min: 400 } } },
    ],
    ['values that no filter has', { filter: { user: { equals: { a: 1 }, in: [] }, client: { in: [{}] } } }, {}],
    ['a filter that is none', { filter: 'operation', having: 7, order: null }, {}],
    ['times', { from: '7d', to: '2026-12-01T00:00:00Z' }, { from: '7d', to: '2026-12-01T00:00:00Z' }],
    ['what is no time', { from: 'yesterday', compare: { from: '7d' } }, {}],
    ['a comparison', { compare: { from: '14d', to: '7d' } }, { compare: { from: '14d', to: '7d' } }],
    [
      'bounds',
      { having: { calls: { min: 10, from: '7d' }, last_use: { from: '7d', min: 3 } } },
      { having: { calls: { min: 10 }, last_use: { from: '7d' } } },
    ],
    [
      'an order',
      { order: [{ by: 'calls', of: 'delta', descending: false }] },
      { order: [{ by: 'calls', of: 'delta', descending: false }] },
    ],
    ['an order of what is not known', { order: [{ by: 'colour' }] }, {}],
    ['a limit', { limit: 1000 }, { limit: 1000 }],
    ['a limit that the API refuses', { limit: 1001 }, {}],
    ['rows of everything', { rows: {} }, { rows: {} }],
    ['rows of a group', { rows: { user: { equals: 17 } } }, { rows: { user: { equals: 17 } } }],
    ['an entry', { entry: 12 }, { entry: '12' }],
    ['what is no entry', { entry: '../me' }, {}],
  ])('%s', (_what, given, expected) => {
    expect(read(given)).toEqual(expected);
  });
});
