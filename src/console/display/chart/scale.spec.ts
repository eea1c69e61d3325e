import { describe, expect, it } from '@jest/globals';
import { linesTo, timesBetween } from './scale.js';

describe('lines across the bars', () => {
  it.each([
    [0, [1]],
    [1, [1]],
    [3, [1, 2, 3]],
    [5, [2, 4, 6]],
    [7_340, [2_000, 4_000, 6_000, 8_000]],
    [10_000, [5_000, 10_000]],
  ])('to %s', (most, expected) => expect(linesTo(most)).toEqual(expected));
});

describe('times beneath the bars', () => {
  const at = (text: string): number => new Date(text).getTime();
  const textsOf = (begin: string, end: string): string[] => timesBetween(at(begin), at(end)).map(({ text }) => text);

  it('are hours of the browser in a short time, and a midnight is told by its day', () => {
    expect(textsOf('2026-11-24T20:00:00', '2026-11-25T05:00:00')).toEqual([
      '20:00',
      '21:00',
      '22:00',
      '23:00',
      '11-25',
      '01:00',
      '02:00',
      '03:00',
      '04:00',
    ]);
  });

  it('are days in a longer time, as many as have room', () => {
    expect(textsOf('2026-11-22T19:00:00', '2026-11-25T20:00:00')).toEqual([
      '11-23',
      '12:00',
      '11-24',
      '12:00',
      '11-25',
      '12:00',
    ]);
    expect(textsOf('2026-11-22T19:00:00', '2026-12-01T20:00:00')).toHaveLength(9);
    expect(timesBetween(at('2026-09-01T00:00:00'), at('2026-12-01T00:00:00')).length).toBeLessThanOrEqual(12);
  });

  it('begin no earlier than the bars', () => {
    const begin = at('2026-11-24T20:30:00');
    expect(timesBetween(begin, begin + 3 * 3_600_000)[0]!.at).toBe(at('2026-11-24T21:00:00'));
  });
});
