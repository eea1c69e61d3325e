import { describe, expect, it } from '@jest/globals';
import { DAY_MS, HOUR_MS, stepFrom, weekOf } from './week.js';

const ms = (time: string): number => Date.parse(`2026-11-${time}Z`);
const NOW = ms('24T09:20:00');

describe('the week of a moment', () => {
  it.each([
    ['an hour ago', '24T08:20:00', '17T09:00:00', '24T10:00:00'],
    ['a week ago', '17T09:20:00', '17T09:00:00', '24T10:00:00'],
    ['over a week ago', '17T08:59:59', '10T08:00:00', '17T09:00:00'],
    ['ten days ago', '14T09:20:00', '10T08:00:00', '17T09:00:00'],
    ['a moment ahead', '24T23:00:00', '17T09:00:00', '24T10:00:00'],
  ])('%s', (_, at, from, to) => expect(weekOf(ms(at), NOW)).toEqual({ from: ms(from), to: ms(to) }));
});

describe('a step', () => {
  it.each([
    ['an hour on', '24T06:20:00', HOUR_MS, '24T07:00:00'],
    ['an hour back', '24T06:20:00', -HOUR_MS, '24T06:00:00'],
    ['from a whole hour back', '24T06:00:00', -HOUR_MS, '24T05:00:00'],
    ['a day on', '22T06:20:00', DAY_MS, '23T06:00:00'],
    ['to the hour that runs', '24T08:20:00', HOUR_MS, '24T09:00:00'],
  ])('goes %s', (_, at, by, to) => expect(stepFrom(ms(at), by, NOW)).toBe(ms(to)));

  it.each([
    ['an hour', '24T09:00:00', HOUR_MS],
    ['a day', '23T10:00:00', DAY_MS],
  ])('of %s stops at now', (_, at, by) => expect(stepFrom(ms(at), by, NOW)).toBeUndefined());
});
