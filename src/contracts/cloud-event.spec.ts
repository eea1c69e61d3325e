import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { EVENT_NAMES, eventType, isOtherVersion, isOwnEventName, parseEventTime, parseEventType } from './index.js';

describe('event types', () => {
  it.each(EVENT_NAMES)('%s is read back from its type', (name) => {
    expect(eventType(name)).toBe(`dev.rescind.${name}.v1`);
    expect(parseEventType(eventType(name))).toBe(name);
  });

  it.each([
    '',
    'token.issued',
    'dev.rescind.token.issued',
    'dev.rescind.token.issued.v2',
    'DEV.rescind.token.issued.v1',
    'dev.rescind.token.issued.v1 ',
    'dev.rescind.toString.v1',
    'toString',
    '__proto__',
  ])('%p is not one', (type) => {
    expect(parseEventType(type)).toBeUndefined();
  });

  it('a version that is not ours is told from a name that is not', () => {
    expect(isOtherVersion('dev.rescind.token.issued.v2')).toBe(true);
    expect(isOtherVersion('dev.rescind.token.issued.v1')).toBe(false);
    expect(isOtherVersion('dev.rescind.token.borrowed.v2')).toBe(false);
    expect(isOtherVersion('dev.rescind.token.issued.v0')).toBe(false);
  });

  it('tells its own from those of sources', () => {
    expect(isOwnEventName('log.gap')).toBe(true);
    expect(isOwnEventName('token.issued')).toBe(false);
  });
});

describe('parseEventTime', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0],
    ['2026-09-21T14:13:20Z', 1_790_000_000_000],
    ['2026-09-21t14:13:20.5z', 1_790_000_000_500],
    ['2026-09-21T14:13:20.123456789Z', 1_790_000_000_123],
    ['2026-09-21T16:13:20+02:00', 1_790_000_000_000],
    ['2026-09-21T08:43:20-05:30', 1_790_000_000_000],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['0001-01-01T00:00:00Z', Date.parse('0001-01-01T00:00:00Z')],
  ])('%s', (text, ms) => expect(parseEventTime(text)).toBe(ms));

  it.each([
    '',
    '2026-09-21',
    '2026-09-21T14:13:20',
    '2026-09-21 14:13:20Z',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-10T00:00:00Z',
    '2026-09-21T24:00:00Z',
    '2026-09-21T14:60:00Z',
    '2016-12-31T23:59:60Z',
    '2026-09-21T14:13:20.Z',
    '2026-09-21T14:13:20+2:00',
    '+002026-09-21T14:13:20Z',
    '1790000000',
    '2026-09-21T14:13:20Z\n',
  ])('%p is not a time', (text) => expect(parseEventTime(text)).toBeUndefined());

  it('reads what Date writes', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date(4_102_444_800_000), noInvalidDate: true }), (date) => {
        expect(parseEventTime(date.toISOString())).toBe(date.getTime());
      }),
    );
  });
});
