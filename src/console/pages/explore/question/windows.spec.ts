import { describe, expect, it } from '@jest/globals';
import { windowBefore, windowText } from './windows.js';

describe('the window before', () => {
  it.each<[string, { from?: string; to?: string }, object | undefined]>([
    ['a span that ends now', { from: '7d' }, { from: '14d', to: '7d' }],
    ['hours', { from: '36h' }, { from: '3d', to: '36h' }],
    ['the window of a question that states none', {}, { from: '60d', to: '30d' }],
    ['a span in the past', { from: '14d', to: '7d' }, { from: '21d', to: '14d' }],
    [
      'two times',
      { from: '2026-11-24T00:00:00Z', to: '2026-12-01T00:00:00Z' },
      { from: '2026-11-17T00:00:00Z', to: '2026-11-24T00:00:00Z' },
    ],
    ['an empty span', { from: '7d', to: '7d' }, undefined],
    ['ends of two kinds', { from: '2026-11-24T00:00:00Z', to: '1d' }, undefined],
    ['a time that is open', { from: '2026-11-24T00:00:00Z' }, undefined],
  ])('of %s', (_what, window, expected) => {
    expect(windowBefore(window)).toEqual(expected);
  });
});

it.each([
  [{ from: '7d' }, 'last 7 days'],
  [{}, 'last 30 days'],
  [{ from: '5d' }, 'since 5d ago'],
  [{ from: '14d', to: '7d' }, '14d ago to 7d ago'],
  [{ from: '2026-11-24T00:00:00Z' }, 'since 2026-11-24T00:00:00Z'],
])('%j is said as %s', (window, text) => {
  expect(windowText(window)).toBe(text);
});
