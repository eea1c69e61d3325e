import { describe, expect, it } from '@jest/globals';
import {
  describeReach,
  describeServices,
  rowsOf,
  staleEntries,
  type Outcome,
  type Survivor,
  type Tried,
} from './report.js';
import { needsServices, sample, type Numbered } from './scope.js';

const mutant = (number: number, folder: string): Numbered => ({
  number,
  folder,
  file: `src/${folder}/a.ts`,
  code: `line ${number}`,
  line: number,
  kind: 'operator',
  start: 0,
  end: 1,
  original: 'a',
  replacement: 'b',
  isStatement: false,
});
const tried = (number: number, folder: string, kind: Outcome['kind']): Tried => ({
  mutant: mutant(number, folder),
  outcome: kind === 'killed' ? { kind, by: 'a spec' } : { kind },
});
const entry = (number: number, folder: string, as: Survivor['as']): Survivor => ({
  file: `src/${folder}/a.ts`,
  code: `line ${number}`,
  original: 'a',
  replacement: 'b',
  as,
  reason: 'r',
});

describe('the score', () => {
  it('counts what the specs found, did not end with, or ended by; an equivalent survivor is left out, an accepted one is not', () => {
    const all = [
      tried(0, 'rules', 'killed'),
      tried(1, 'rules', 'timeout'),
      tried(2, 'rules', 'survived'),
      tried(3, 'rules', 'survived'),
      tried(4, 'guard', 'unreached'),
    ];
    expect(rowsOf(all, [entry(2, 'rules', 'equivalent'), entry(3, 'rules', 'accepted')])).toEqual([
      { folder: 'rules', killed: 2, survived: 1, unreached: 0, equivalent: 1, score: 200 / 3, reachedScore: 200 / 3 },
      { folder: 'guard', killed: 0, survived: 0, unreached: 1, equivalent: 0, score: 0, reachedScore: 0 },
      { folder: 'all', killed: 2, survived: 1, unreached: 1, equivalent: 1, score: 50, reachedScore: 200 / 3 },
    ]);
  });

  it('an entry is reported whose mutant was found, or whose line is gone; not one that was not tried', () => {
    const all = [0, 1, 2].map((number) => mutant(number, 'rules'));
    const entries = [0, 1, 2, 3].map((number) => entry(number, 'rules', 'accepted'));
    expect(staleEntries(entries, all, [tried(0, 'rules', 'killed'), tried(1, 'rules', 'survived')])).toEqual([
      entries[0],
      entries[3],
    ]);
  });
});

describe('a sample', () => {
  const all = Array.from({ length: 100 }, (_, number) => mutant(number, 'rules'));

  it('is the same for the same seed, and another for another', () => {
    expect(sample(all, 10, 1)).toEqual(sample(all, 10, 1));
    expect(sample(all, 10, 1)).not.toEqual(sample(all, 10, 2));
    expect(new Set(sample(all, 100, 1)).size).toBe(100);
  });
});

describe('files that need services', () => {
  it.each([
    ['src/control/log/durable.pg.ts', true],
    ['src/platform/kafka/topic-reader.kafka.ts', true],
    ['src/revocation/revocations.ts', false],
  ])('%s: %s', (file, isOne) => {
    expect(needsServices(file)).toBe(isOne);
  });

  it('are counted and named', () => {
    expect(
      describeServices(
        new Map([
          ['a.pg.ts', 2],
          ['b.pg.ts', 3],
        ]),
      ),
    ).toBe('needs services, in no score: 5 mutants of 2 files\n  a.pg.ts 2\n  b.pg.ts 3');
  });
});

it('the reach of the specs names the files that they miss, the most first', () => {
  const all = [mutant(0, 'rules'), mutant(1, 'rules'), mutant(2, 'guard'), mutant(3, 'guard'), mutant(4, 'control')];
  const specsOf = new Map([0, 4].map((number) => [number, ['a.spec.ts']]));
  expect(describeReach(all, specsOf).split('\n')).toEqual([
    'src/guard/a.ts: 2 of 2 unreached, lines 2 3',
    'src/rules/a.ts: 1 of 2 unreached, lines 1',
    '3 of 5 mutants unreached',
  ]);
});
