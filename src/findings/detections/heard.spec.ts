import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { hear, troublesAt, type Bounds, type Coming, type Heard, type Trouble } from './heard.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const BOUNDS: Bounds = {
  silentMs: 2 * HOUR,
  silentTimes: 3,
  daysKnown: 3,
  lateEvents: 3,
  lateShare: 0.5,
  lateDays: 2,
  missingMs: HOUR,
};

const coming = (arrival: number, ix: number, more: Partial<Coming> = {}): Coming => ({
  arrival,
  firstIx: ix,
  lastIx: ix,
  events: 1,
  late: 0,
  numbers: [],
  ...more,
});

/** Hears everything in turn; `looks` are asked for what lasts after each. */
function hearAll(all: readonly Coming[]): { readonly heard: Heard; readonly over: readonly Trouble[] } {
  let heard: Heard | undefined;
  const over: Trouble[] = [];
  for (const one of all) {
    const [next, ended] = hear(heard, one, BOUNDS);
    heard = next;
    over.push(...ended);
  }
  return { heard: heard!, over };
}

describe('the numbers of a source', () => {
  it('are missing exactly if they lie between others and have not come, in whatever order and parts they come', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 5 }), (sent, size) => {
        const first = sent[0]!;
        const parts = sent.flatMap((_, nth) => (nth % size === 0 ? [sent.slice(nth, nth + size)] : []));
        const runs = (part: readonly number[]) => [...part].sort((a, b) => a - b).map((n) => [n, n + 1] as const);
        const { heard } = hearAll(parts.map((part, nth) => coming(nth, nth, { numbers: runs(part) })));
        const lowest = Math.min(...parts[0]!);
        const all = Array.from({ length: Math.max(...sent) - lowest + 1 }, (_, nth) => lowest + nth);
        const missing = all.filter((one) => !sent.includes(one)).length;
        expect(first).toBeGreaterThanOrEqual(lowest);
        const found = troublesAt(heard, 2 * HOUR, 99, BOUNDS).filter(({ how }) => how === 'gaps');
        expect(found.map(({ count }) => count)).toEqual(missing === 0 ? [] : [missing]);
      }),
    );
  });

  it('are a trouble no sooner than they have been overtaken for long, and over when they have come', () => {
    const gap = [coming(0, 0, { numbers: [[1, 3]] }), coming(1_000, 5, { numbers: [[6, 7]] })];
    const { heard } = hearAll(gap);
    expect(troublesAt(heard, HOUR, 9, BOUNDS)).toEqual([]);
    expect(troublesAt(heard, HOUR + 1_000, 9, BOUNDS)).toEqual([
      { how: 'gaps', ix: 5, since: 1_000, until: HOUR + 1_000, count: 3 },
    ]);
    const { over } = hearAll([...gap, coming(2 * HOUR, 20, { numbers: [[3, 6]] })]);
    expect(over).toEqual([{ how: 'gaps', ix: 5, since: 1_000, until: 2 * HOUR, count: 3 }]);
    expect(hearAll([...gap, coming(HOUR / 2, 20, { numbers: [[3, 6]] })]).over).toEqual([]);
  });

  it('are remembered within a bound', () => {
    const { heard } = hearAll(
      Array.from({ length: 3_000 }, (_, nth) => coming(nth, nth, { numbers: [[2 * nth, 2 * nth + 1]] })),
    );
    expect(heard.gaps).toHaveLength(1_000);
  });
});

describe('the silence of a source', () => {
  const daily = [0, 1, 2].map((day) => coming(day * DAY, day * 100));

  it('is measured in entries of the others, against the second longest pause', () => {
    const { heard } = hearAll(daily);
    expect(troublesAt(heard, 5 * DAY, 500, BOUNDS)).toEqual([]);
    expect(troublesAt(heard, 2 * DAY + HOUR, 600, BOUNDS)).toEqual([]);
    expect(troublesAt(heard, 2 * DAY + 3 * HOUR, 501, BOUNDS)).toMatchObject([
      { how: 'silent', ix: 200, since: 2 * DAY },
    ]);
  });

  it('is over when the source speaks, also if nobody looked in between, and forgotten after 21 days', () => {
    const { heard, over } = hearAll([...daily, coming(3 * DAY, 900)]);
    expect(over).toEqual([{ how: 'silent', ix: 200, since: 2 * DAY, until: 3 * DAY, count: 1 }]);
    expect(troublesAt(heard, 25 * DAY, 9_000, BOUNDS)).toEqual([]);
  });
});

describe('the delay of a source', () => {
  const late = (at: number, ix: number) => coming(at, ix, { events: 4, late: 3 });

  it('goes on if the source is late again within a day, and is usual where it was late on two days', () => {
    const prompt = (at: number, ix: number) => coming(at, ix, { events: 9 });
    const known = [0, 1, 2].map((day) => prompt(day * DAY, day));
    const { over, heard } = hearAll([...known, late(3 * DAY, 3), prompt(3 * DAY + 1, 4), late(3 * DAY + 5 * HOUR, 5)]);
    expect(over).toMatchObject([{ how: 'behind', ix: 3, count: 3 }]);
    expect(troublesAt(heard, 3 * DAY + 5 * HOUR, 6, BOUNDS)).toMatchObject([{ how: 'behind', ix: 3, count: 6 }]);
    const always = hearAll([0, 1, 2, 3, 4].map((day) => late(day * DAY, day)));
    expect(troublesAt(always.heard, 4 * DAY, 5, BOUNDS)).toEqual([]);
  });
});
