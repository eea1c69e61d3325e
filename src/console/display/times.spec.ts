import { describe, expect, it } from '@jest/globals';
import { countText } from './numbers.js';
import { timeText } from './times.js';

describe('times', () => {
  it.each([
    ['2026-11-24T23:30:03Z', 'UTC', '2026-11-24 23:30:03 UTC'],
    ['2026-11-24T23:30:03Z', 'Europe/Berlin', '2026-11-25 00:30:03 GMT+1'],
    ['2026-07-24T00:00:00.250Z', 'Asia/Kolkata', '2026-07-24 05:30:00 GMT+5:30'],
    ['soon', 'UTC', 'soon'],
  ])('%s in %s', (time, zone, expected) => expect(timeText(time, zone)).toBe(expected));
});

describe('counts', () => {
  it.each([
    [0, '0'],
    [1_058_473, '1,058,473'],
    [12_345_678_901_234_567_890n, '12,345,678,901,234,567,890'],
  ])('%s', (count, expected) => expect(countText(count)).toBe(expected));
});
