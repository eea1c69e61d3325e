import type { Submission } from './submission.js';

/** Events of one transaction. A larger submission is not split: its offset moves once. */
export const MAX_BATCH_EVENTS = 2_000;
/** Refused ones among them: what is good waits for no more bad than this, however much of it came first. */
export const MAX_BATCH_REFUSED = 200;

/** A submission that waits to be written, with its count of events that are refused already. */
export interface Counted {
  readonly submission: Submission;
  readonly refused: number;
}

/**
 * What the next transaction takes of what waits, oldest first: always the first, then what fits. Where too much of it is
 * refused, others pass it; those of its own partition do not, since each moves the offset on from where the one before leaves it.
 */
export function takeNext<T extends Counted>(waiting: readonly T[]): { readonly batch: readonly T[]; readonly rest: T[] } {
  const batch: T[] = [];
  const rest: T[] = [];
  const passed = new Set<string>();
  let events = 0;
  let refused = 0;
  for (const [at, one] of waiting.entries()) {
    const { events: ofOne, offset } = one.submission;
    const partition = offset && `${offset.topic}/${offset.partition}`;
    if (batch.length > 0 && events + ofOne.length > MAX_BATCH_EVENTS) return { batch, rest: [...rest, ...waiting.slice(at)] };
    const isHeldBack = partition !== undefined && passed.has(partition);
    const isTooBad = batch.length > 0 && one.refused > 0 && refused + one.refused > MAX_BATCH_REFUSED;
    if (isHeldBack || isTooBad) {
      rest.push(one);
      if (partition !== undefined) passed.add(partition);
      continue;
    }
    batch.push(one);
    events += ofOne.length;
    refused += one.refused;
  }
  return { batch, rest };
}
