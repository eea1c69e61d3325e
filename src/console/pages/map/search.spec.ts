import { expect, it } from '@jest/globals';
import { readMapSearch } from './search.js';

it('reads what the map shows', () => {
  const search = {
    show: 'graph',
    rows: 'agents',
    group: 'team',
    q: 'crm',
    state: ['used', 'denied'],
    since: '7d',
    zoom: 3,
    cell: '12-7',
    focus: 12,
    steps: 2,
    whole: true,
    unfold: [3, 4],
  };
  expect(readMapSearch(search)).toEqual(search);
});

it('leaves out what it does not know, and folds what would be too many questions', () => {
  const hostile = {
    show: 'all',
    rows: {},
    group: 1,
    q: ' ',
    state: 'gone',
    since: 'yesterday',
    zoom: 9,
    cell: '1-2-3',
    focus: -1,
    steps: 4,
    whole: 'yes',
    unfold: ['x'],
  };
  expect(Object.values(readMapSearch(hostile)).filter((value) => value !== undefined)).toEqual([]);
  expect(readMapSearch({ unfold: Array.from({ length: 20 }, (_, nth) => nth + 1) }).unfold).toHaveLength(8);
});
