import { expect, it } from '@jest/globals';
import { readRulesSearch } from './search.js';

it.each([
  [{}, {}],
  [{ state: 'live' }, { state: ['live'] }],
  [{ state: ['lifted', 'gone', 3, 'live'] }, { state: ['live', 'lifted'] }],
  [{ effect: 'block', state: {} }, { effect: 'block' }],
  [{ effect: ['block'] }, {}],
])('the search of the URL %j', (given, expected) => expect(readRulesSearch(given)).toEqual(expected));
