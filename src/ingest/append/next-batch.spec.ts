import { describe, expect, it } from '@jest/globals';
import { takeNext, type Counted } from './next-batch.js';
import type { Judged, OffsetMove } from './submission.js';

const [MAX_BATCH_EVENTS, MAX_BATCH_OF_ONE, MAX_BATCH_REFUSED] = [8_000, 4_000, 200];

interface Named extends Counted {
  readonly name: string;
}

/** `partition` undefined: submitted over HTTP. */
const waits = (name: string, events: number, refused = 0, partition?: number): Named => {
  const offset = partition === undefined ? {} : { offset: { topic: 't', partition } as OffsetMove };
  return {
    name,
    refused,
    weight: events,
    speaker: 'one',
    submission: { events: Array.from({ length: events }, () => ({}) as Judged), ...offset },
  };
};
const by = (speaker: string, one: Named): Named => ({ ...one, speaker });
const names = (waiting: readonly Named[]): string[] => waiting.map(({ name }) => name);
const taken = (...waiting: readonly Named[]): { batch: string[]; rest: string[] } => {
  const { batch, rest } = takeNext(waiting);
  return { batch: names(batch), rest: names(rest) };
};

describe('the next batch', () => {
  it('is all that waits, as long as it fits', () => {
    expect(taken(waits('a', 10), waits('b', 10, 10, 0), waits('c', 10, 0, 0))).toEqual({
      batch: ['a', 'b', 'c'],
      rest: [],
    });
    expect(taken()).toEqual({ batch: [], rest: [] });
  });

  it('ends before the events that are too many, and takes the first whatever it holds', () => {
    expect(taken(waits('a', MAX_BATCH_EVENTS), waits('b', 1), waits('c', 1))).toEqual({
      batch: ['a'],
      rest: ['b', 'c'],
    });
    expect(taken(waits('huge', MAX_BATCH_EVENTS + 1), waits('b', 1))).toEqual({ batch: ['huge'], rest: ['b'] });
    expect(taken(waits('bad', 500, 500), waits('b', 1))).toEqual({ batch: ['bad', 'b'], rest: [] });
  });

  it('lets what is good pass what is bad', () => {
    const bad = Array.from({ length: 5 }, (_, n) => waits(`bad-${n}`, 100, MAX_BATCH_REFUSED / 2, 0));
    expect(taken(...bad, waits('good', 10))).toEqual({
      batch: ['bad-0', 'bad-1', 'good'],
      rest: ['bad-2', 'bad-3', 'bad-4'],
    });
  });

  it('keeps the order of a partition, and of no others', () => {
    const first = waits('bad', 100, MAX_BATCH_REFUSED, 0);
    expect(taken(first, waits('worse', 100, 1, 1), waits('same', 10, 0, 1), waits('other', 10, 0, 2))).toEqual({
      batch: ['bad', 'other'],
      rest: ['worse', 'same'],
    });
  });

  it('lets the speakers take turns, and stays in the order of arrival', () => {
    const flood = Array.from({ length: 100 }, (_, n) => by('loud', waits(`loud-${n}`, 100)));
    const { batch, rest } = taken(
      ...flood,
      by('quiet', waits('quiet-0', MAX_BATCH_OF_ONE - 100)),
      by('quiet', waits('quiet-1', 200)),
      by('third', waits('third', 1)),
    );
    expect(batch).toEqual([...names(flood.slice(0, MAX_BATCH_OF_ONE / 100)), 'quiet-0', 'third']);
    expect(rest).toEqual([...names(flood.slice(MAX_BATCH_OF_ONE / 100)), 'quiet-1']);
  });

  it('holds no more of one speaker than its share while others wait, and all of one that is alone', () => {
    const flood = Array.from({ length: 100 }, (_, n) => by('loud', waits(`loud-${n}`, 100)));
    expect(taken(...flood).batch).toHaveLength(MAX_BATCH_EVENTS / 100);
    expect(taken(...flood, by('quiet', waits('quiet', 1))).batch).toEqual([
      ...names(flood.slice(0, MAX_BATCH_OF_ONE / 100)),
      'quiet',
    ]);
  });

  it('takes the oldest of two speakers of whom it holds as much', () => {
    expect(taken(by('large', waits('large', MAX_BATCH_EVENTS - 1)), by('a', waits('a', 2)))).toEqual({
      batch: ['large'],
      rest: ['a'],
    });
    expect(
      taken(by('a', waits('a', 1)), by('b', waits('b', MAX_BATCH_EVENTS - 1)), by('a', waits('again', 1))),
    ).toEqual({
      batch: ['a', 'b'],
      rest: ['again'],
    });
  });

  it('holds as much as it may, and nothing beyond', () => {
    const full = (last: number) => [
      by('a', waits('a', MAX_BATCH_OF_ONE)),
      by('b', waits('b', MAX_BATCH_OF_ONE - 1)),
      by('c', waits('c', last)),
    ];
    expect(taken(...full(1)).batch).toEqual(['a', 'b', 'c']);
    expect(taken(...full(2)).batch).toEqual(['a', 'b']);
    expect(
      taken(by('a', waits('a', MAX_BATCH_OF_ONE - 1)), by('a', waits('more', 1)), by('b', waits('b', 1))).batch,
    ).toEqual(['a', 'more', 'b']);
    expect(
      taken(by('a', waits('a', MAX_BATCH_OF_ONE - 1)), by('a', waits('more', 2)), by('b', waits('b', 1))).batch,
    ).toEqual(['a', 'b']);
  });

  it('takes as many refused ones as it may, and what has none whatever it holds of others', () => {
    const bad = waits('bad', MAX_BATCH_REFUSED, MAX_BATCH_REFUSED - 1);
    expect(taken(bad, waits('one', 1, 1), waits('good', 1)).batch).toEqual(['bad', 'one', 'good']);
    expect(taken(bad, waits('two', 2, 2), waits('one', 1, 1), waits('good', 1)).batch).toEqual(['bad', 'one', 'good']);
  });

  it('takes the oldest first, so that a large submission is not passed for ever', () => {
    expect(
      taken(by('large', waits('large', MAX_BATCH_EVENTS - 1)), by('a', waits('a', 2)), by('b', waits('b', 1))),
    ).toEqual({
      batch: ['large', 'b'],
      rest: ['a'],
    });
  });
});
