import { expect, it } from '@jest/globals';
import { readParameters } from './parameters.js';
import { readWindow, windowAt } from './window.js';

const AT = 1_795_165_200;
const window = (query: object) => windowAt(readWindow(readParameters(query, ['from', 'to'])), AT);

it('has open ends', () => {
  expect(window({})).toEqual({ from: undefined, to: undefined });
  expect(window({ from: '2026-11-20' })).toEqual({ from: 1_795_132_800, to: undefined });
});

it('counts durations back from the moment of the answer', () => {
  expect(window({ from: '2h', to: '90s' })).toEqual({ from: AT - 7_200, to: AT - 90 });
});

it.each([
  { from: '2h', to: '2h' },
  { from: '1h', to: '2h' },
  { from: '2026-11-21', to: '2026-11-20T23:00:00Z' },
  { from: '1h', to: '2026-11-20T08:00:00Z' },
])('must not be empty: %j', (query) => {
  expect(() => window(query)).toThrow(expect.objectContaining({ code: 'inconsistent-request' }));
});

it('does not begin before 2000', () => {
  expect(() => window({ from: '9999w' })).toThrow(expect.objectContaining({ code: 'time-out-of-range' }));
});
