import { timeText } from '../../contracts/index.js';
import { describe, expect, it } from '@jest/globals';
import type { CoverageItem } from './answers.js';
import { bySeriousness, findingsOf, SILENT_AFTER_S, spanOf } from './findings.js';

const NOW = 1_790_100_000;
const SOURCE = { id: '10000000-0000-4000-8000-000000000001', name: 'crm' };
const item = (over: Partial<CoverageItem>): CoverageItem => ({
  source: SOURCE,
  uri: 'https://crm.example',
  disabled: false,
  last: { index: '7', type: 'token.issued', at: timeText(NOW - 60), arrival: timeText(NOW - 60) },
  events: 8,
  types: [],
  never_sent: [],
  sequence: null,
  clock: null,
  tokens: { issued: 0, id_jag_arrived: 0, id_jag_stated: 0, parent_only: 0, none: 0 },
  uses: { count: 0, attributed: 0 },
  refused: [],
  ...over,
});
const STATED = { id_jag: 'stated', other: 'stated' } as const;
const codes = (over: Partial<CoverageItem>, lineage: Parameters<typeof findingsOf>[1] = STATED): string[] =>
  findingsOf(item(over), lineage, NOW).map(({ code }) => code);
const lastAt = (arrival: number) => ({
  last: { index: '7', type: 'token.issued', at: timeText(arrival), arrival: timeText(arrival) },
});

describe('what the team does not see', () => {
  it('is nothing where all is seen', () => expect(codes({})).toEqual([]));

  it('is silence, from a day on', () => {
    expect(codes(lastAt(NOW - SILENT_AFTER_S + 1))).toEqual([]);
    expect(codes(lastAt(NOW - SILENT_AFTER_S))).toEqual(['silent-for']);
    expect(findingsOf(item(lastAt(NOW - 3 * 86_400)), STATED, NOW)[0]!.says).toBe(
      'crm: the last event came 3 days ago',
    );
  });

  it.each([
    ['stated', { issued: 3, id_jag_arrived: 1, id_jag_stated: 2, parent_only: 0, none: 0 }, []],
    [
      'confirmed',
      { issued: 3, id_jag_arrived: 1, id_jag_stated: 2, parent_only: 0, none: 0 },
      ['tokens-without-lineage'],
    ],
    ['stated', { issued: 1, id_jag_arrived: 0, id_jag_stated: 0, parent_only: 0, none: 1 }, ['tokens-without-lineage']],
    // Tokens without an ID-JAG are admissible here.
    ['none', { issued: 1, id_jag_arrived: 0, id_jag_stated: 0, parent_only: 0, none: 1 }, []],
    ['confirmed', { issued: 1, id_jag_arrived: 0, id_jag_stated: 0, parent_only: 1, none: 0 }, []],
    [
      { id_jag: 'confirmed', other: 'none' },
      { issued: 1, id_jag_arrived: 0, id_jag_stated: 0, parent_only: 0, none: 1 },
      [],
    ],
    [
      { id_jag: 'confirmed', other: 'none' },
      { issued: 2, id_jag_arrived: 0, id_jag_stated: 1, parent_only: 0, none: 1 },
      ['tokens-without-lineage'],
    ],
    [
      { id_jag: 'stated', other: 'none' },
      { issued: 2, id_jag_arrived: 0, id_jag_stated: 1, parent_only: 0, none: 1 },
      [],
    ],
  ] as const)('is lineage, as the profile %j wants it', (lineage, tokens, expected) =>
    expect(codes({ tokens }, typeof lineage === 'string' ? { id_jag: lineage, other: lineage } : lineage)).toEqual(
      expected,
    ),
  );

  it('counts numbers that were given up among the gaps', () => {
    expect(codes({ sequence: { first: 1, last: 9, missing: 0, repeated: 4, given_up: 0 } })).toEqual([]);
    expect(
      findingsOf(item({ sequence: { first: 1, last: 9, missing: 1, repeated: 0, given_up: 2 } }), STATED, NOW)[0]!.says,
    ).toMatch(/3 events .*2 of them no longer/);
  });

  it('of a disabled source is nothing', () =>
    expect(codes({ disabled: true, last: null, never_sent: ['token.issued'] })).toEqual([]));

  it('is told most serious first, then by name', () => {
    const of = (name: string) =>
      findingsOf(
        item({ source: { ...SOURCE, name }, ...lastAt(NOW - SILENT_AFTER_S), never_sent: ['token.denied'] }),
        STATED,
        NOW,
      );
    expect([...of('b'), ...of('a')].sort(bySeriousness).map(({ code, source }) => `${code} ${source.name}`)).toEqual([
      'silent-for a',
      'silent-for b',
      'never-sent a',
      'never-sent b',
    ]);
  });
});

it.each([
  [0.25, '0.2 seconds'],
  [119, '119 seconds'],
  [120, '2 minutes'],
  [5_400, '90 minutes'],
  [2 * 86_400, '2 days'],
  [400 * 86_400, '400 days'],
])('%d s is %s', (seconds, words) => expect(spanOf(seconds)).toBe(words));
