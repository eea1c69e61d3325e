import { describe, expect, it } from '@jest/globals';
import { PAUSE_MS, visitAt } from './visits.js';

const NOW = 1_796_000_000_000;
const kept = (since: number | undefined, seen: number): string => JSON.stringify({ since, seen });

describe('the visit', () => {
  it.each([
    ['the first one', null, { seen: NOW }],
    ['goes on after a reload', kept(NOW - 9e7, NOW - 1_000), { since: NOW - 9e7, seen: NOW }],
    ['begins anew after a pause', kept(NOW - 9e7, NOW - PAUSE_MS - 1), { since: NOW - PAUSE_MS - 1, seen: NOW }],
    ['is the first one still', kept(undefined, NOW - 1_000), { seen: NOW }],
    ['of a clock that went back', kept(NOW, NOW + 1), { seen: NOW }],
    ['of no JSON', '{', { seen: NOW }],
    ['of other values', '{"since":"x","seen":null}', { seen: NOW }],
    ['of no object', 'null', { seen: NOW }],
  ])('%s', (_, text, expected) => expect(visitAt(text, NOW)).toEqual(expected));
});
