import { describe, expect, it } from '@jest/globals';
import { MAX_BATCH_EVENTS, MAX_BATCH_REFUSED, takeNext, type Counted } from './next-batch.js';
import type { Judged, OffsetMove } from './submission.js';

interface Named extends Counted {
  readonly name: string;
}

/** `partition` undefined: through HTTP. */
const waits = (name: string, events: number, refused = 0, partition?: number): Named => {
  const offset = partition === undefined ? {} : { offset: { topic: 't', partition } as OffsetMove };
  return { name, refused, submission: { events: Array.from({ length: events }, () => ({}) as Judged), ...offset } };
};
const names = (waiting: readonly Named[]): string[] => waiting.map(({ name }) => name);
const taken = (...waiting: readonly Named[]): { batch: string[]; rest: string[] } => {
  const { batch, rest } = takeNext(waiting);
  return { batch: names(batch), rest: names(rest) };
};

describe('the next batch', () => {
  it('is all that waits, as long as it fits', () => {
    expect(taken(waits('a', 10), waits('b', 10, 10, 0), waits('c', 10, 0, 0))).toEqual({ batch: ['a', 'b', 'c'], rest: [] });
    expect(taken()).toEqual({ batch: [], rest: [] });
  });

  it('ends before the events that are too many, and takes the first whatever it holds', () => {
    expect(taken(waits('a', MAX_BATCH_EVENTS), waits('b', 1), waits('c', 1))).toEqual({ batch: ['a'], rest: ['b', 'c'] });
    expect(taken(waits('huge', MAX_BATCH_EVENTS + 1), waits('b', 1))).toEqual({ batch: ['huge'], rest: ['b'] });
    expect(taken(waits('bad', 500, 500), waits('b', 1))).toEqual({ batch: ['bad', 'b'], rest: [] });
  });

  it('lets what is good pass what is bad', () => {
    const bad = Array.from({ length: 5 }, (_, n) => waits(`bad-${n}`, 100, MAX_BATCH_REFUSED / 2, 0));
    expect(taken(...bad, waits('good', 10))).toEqual({ batch: ['bad-0', 'bad-1', 'good'], rest: ['bad-2', 'bad-3', 'bad-4'] });
  });

  it('keeps the order of a partition, and of no others', () => {
    const first = waits('bad', 100, MAX_BATCH_REFUSED, 0);
    expect(taken(first, waits('worse', 100, 1, 1), waits('same', 10, 0, 1), waits('other', 10, 0, 2))).toEqual({ batch: ['bad', 'other'], rest: ['worse', 'same'] });
  });
});
