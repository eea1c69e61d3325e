import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { MAX_TIME_SECONDS, MIN_TIME_SECONDS } from './events/event-members.js';
import { RescindError } from './rescind-error.js';
import { instantText, MOMENT_INPUT, parseTime, readTime, TIME_FORMS, TIME_INPUT, timeText } from './times.js';

const NOW_S = 1_795_600_000;
const ajv = new Ajv2020({ strict: false });
const [isTimeInput, isMomentInput] = [TIME_INPUT, MOMENT_INPUT].map((schema) => ajv.compile(schema));
const seconds = fc.integer({ min: MIN_TIME_SECONDS, max: MAX_TIME_SECONDS });
const offset = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });

function refusal(value: unknown): { code: string; detail: string | undefined } | undefined {
  try {
    readTime('since', value, NOW_S);
    return undefined;
  } catch (error) {
    if (error instanceof RescindError) return { code: error.code, detail: error.detail };
    throw error;
  }
}

/** The same moment as a clock shows it that is so many minutes ahead of UTC. */
function elsewhere(ms: number, minutes: number): string {
  const two = (part: number): string => String(part).padStart(2, '0');
  const ahead = Math.abs(minutes);
  return `${instantText(ms + minutes * 60_000).slice(0, -1)}${minutes < 0 ? '-' : '+'}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`;
}

describe('the writer', () => {
  it('writes RFC 3339 in UTC: whole seconds for times, milliseconds for instants', () => {
    expect(timeText(1_795_510_800)).toBe('2026-11-24T09:00:00Z');
    expect(instantText(1_795_510_800_123)).toBe('2026-11-24T09:00:00.123Z');
    expect(instantText(1_795_510_800_000)).toBe('2026-11-24T09:00:00.000Z');
  });

  it('writes what the reader takes back', () => {
    fc.assert(
      fc.property(seconds, fc.nat(999), (at, ms) => {
        expect(readTime('at', timeText(at), NOW_S)).toBe(at);
        if (at < MAX_TIME_SECONDS) expect(parseTime(instantText(at * 1_000 + ms))).toEqual({ atMs: at * 1_000 + ms });
      }),
    );
  });

  it('writes later times as later texts', () => {
    fc.assert(fc.property(seconds, seconds, (one, other) => timeText(one) < timeText(other) === one < other));
  });
});

describe('the reader', () => {
  it('takes each form of a moment as the same moment', () => {
    fc.assert(
      fc.property(seconds, offset, fc.nat(999), (at, minutes, ms) => {
        const forms = [
          at,
          String(at),
          `@${at}`,
          timeText(at),
          timeText(at).toLowerCase(),
          elsewhere(at * 1_000, minutes),
        ];
        if (at < MAX_TIME_SECONDS) forms.push(instantText(at * 1_000 + ms), `${timeText(at).slice(0, -1)}.9999999Z`);
        for (const form of forms) expect([form, readTime('at', form, NOW_S)]).toEqual([form, at]);
      }),
    );
  });

  it('takes a date as its beginning in UTC', () => {
    fc.assert(
      fc.property(seconds, (at) => {
        const day = Math.floor(at / 86_400) * 86_400;
        expect(readTime('at', timeText(at).slice(0, 10), NOW_S)).toBe(day);
      }),
    );
  });

  it.each([
    ['90s', 90],
    ['30m', 1_800],
    ['24h', 86_400],
    ['7d', 604_800],
    ['2w', 1_209_600],
  ])('takes %s as a distance from now, back or onwards', (text, distance) => {
    expect(readTime('from', text, NOW_S)).toBe(NOW_S - distance);
    expect(readTime('until', text, NOW_S, 'after')).toBe(NOW_S + distance);
  });

  it('leaves what is absent', () => expect(readTime('from', undefined, NOW_S)).toBeUndefined());

  it.each([
    '',
    ' ',
    'yesterday',
    '7',
    '0d',
    '07d',
    '-7d',
    '7D',
    '7y',
    '7 d',
    '100000d',
    '1.5h',
    '2026-11',
    '2026-11-24T09:00:00',
    '2026-11-24T09:00Z',
    '2026-11-24 09:00:00Z',
    '2026-02-29',
    '2026-02-29T00:00:00Z',
    '2100-02-29',
    '2026-11-31',
    '2026-13-01',
    '2026-11-24T24:00:00Z',
    '2026-11-24T09:60:00Z',
    '2026-11-24T09:00:60Z',
    '2026-11-24T09:00:00.Z',
    '2026-11-24T09:00:00+24:00',
    '24/11/2026',
    '1e9',
    '1795600000.5',
    '+1795600000',
    '@',
    '@-1',
    '@01795600000',
    1_795_600_000.5,
    Number.NaN,
    -1.5,
    null,
    true,
    {},
    ['7d'],
  ])('refuses %j, and says which forms there are', (value) => {
    const { code, detail } = refusal(value)!;
    if (value === '7') expect(code).toBe('time-out-of-range');
    else expect([code, detail]).toEqual(['invalid-request', `\`since\` must be ${TIME_FORMS}`]);
  });

  it.each([
    '1999-12-31',
    '2100-01-02',
    '2099-12-31T23:59:59-00:01',
    '@946684799',
    4_102_444_801,
    '1796000000000',
    '99999w',
  ])('refuses %j: it lies outside the years 2000 to 2100', (value) =>
    expect(refusal(value)).toEqual({
      code: 'time-out-of-range',
      detail: '`since` lies outside the years 2000 to 2100',
    }),
  );

  it('knows leap days as the calendar does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_999 }), (year) => {
        const text = `${String(year).padStart(4, '0')}-02-29`;
        const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
        expect([text, parseTime(text) !== undefined]).toEqual([text, isLeap]);
      }),
    );
  });
});

describe('the schemas of input', () => {
  const pieces = [
    '2',
    '0',
    '9',
    '02',
    '2026',
    '-',
    ':',
    '.',
    'T',
    't',
    'Z',
    '+01:00',
    '@',
    's',
    'm',
    'd',
    'w',
    ' ',
    '11',
    '29',
  ];
  const wild = fc.oneof(
    fc
      .constantFrom(...pieces)
      .chain((first) =>
        fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((rest) => [first, ...rest].join('')),
      ),
    seconds.map(timeText),
    seconds.map((at) => timeText(at).slice(0, 10)),
    fc
      .tuple(fc.integer({ min: -10, max: 200_000 }), fc.constantFrom('s', 'm', 'h', 'd', 'w', 'y'))
      .map(([n, unit]) => `${n}${unit}`),
    fc.integer({ min: 0, max: 9_999 }).map((year) => `${String(year).padStart(4, '0')}-02-29T00:00:00Z`),
    fc.integer(),
    fc.double(),
    seconds,
    fc.constantFrom(null, true, {}),
  );

  it('allow what is read, and nothing else', () => {
    const seen = { read: 0, refused: 0 };
    fc.assert(
      fc.property(wild, (value) => {
        const { code } = refusal(value) ?? {};
        seen[code === undefined ? 'read' : 'refused'] += 1;
        // No schema of text can say the years.
        if (code === 'time-out-of-range') return typeof value === 'string' || !isTimeInput!(value);
        return isTimeInput!(value) === (code === undefined);
      }),
      { numRuns: 2_000 },
    );
    expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(100);
  });

  it('differ in bare numbers alone, which are indexes in a moment', () => {
    fc.assert(
      fc.property(wild, (value) => {
        const isNumber = typeof value === 'number' || (typeof value === 'string' && /^[0-9]+$/.test(value));
        return isNumber
          ? isMomentInput!(value) === (typeof value === 'string' && /^(0|[1-9][0-9]{0,18})$/.test(value))
          : isMomentInput!(value) === isTimeInput!(value);
      }),
      { numRuns: 2_000 },
    );
  });
});
