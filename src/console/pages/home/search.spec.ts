import { expect, it } from '@jest/globals';
import { readHomeSearch } from './search.js';

it.each([
  [{}, undefined],
  [{ since: '24h' }, '24h'],
  [{ since: '7d', more: 1 }, '7d'],
  [{ since: '8d' }, undefined],
  [{ since: ['24h'] }, undefined],
])('reads %j', (given, since) => expect(readHomeSearch(given)).toEqual({ since }));
