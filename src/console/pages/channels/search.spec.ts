import { expect, it } from '@jest/globals';
import { readChannelsSearch } from './search.js';

it.each([
  [{}, {}],
  [{ channel: 'soc', add: 'true' }, { channel: 'soc' }],
  [{ channel: 7, add: true }, { add: true }],
])('reads %j', (given, expected) =>
  expect(readChannelsSearch(given)).toEqual({ channel: undefined, add: undefined, ...expected }),
);
