import type { Submission } from './submission.js';

/** Events of one transaction, by weight. A larger submission is not split, because its offset moves once. */
export const MAX_BATCH_EVENTS = 8_000;
/** Events of one speaker in a batch while other speakers wait. A single submission may be larger. */
export const MAX_BATCH_OF_ONE = 4_000;
/** Refused events in a batch: valid events never wait for more refused ones than this, however many came first. */
export const MAX_BATCH_REFUSED = 200;

/** A submission that waits to be written. */
export interface Counted {
  readonly submission: Submission;
  /** Total weight of its events. */
  readonly weight: number;
  /** Number of its events that are already refused. */
  readonly refused: number;
  /** The topic or caller that is answerable for the submission. Speakers take turns. */
  readonly speaker: string;
}

interface Placed<T> {
  readonly one: T;
  /** Position in the order of arrival. */
  readonly at: number;
}

interface Queue<T> {
  readonly waiting: Placed<T>[];
  /** Index of the oldest submission that has not been considered. */
  next: number;
  /** Weight of this speaker's submissions in the batch. */
  taken: number;
}

/**
 * Chooses the waiting submissions for the next transaction. The oldest always goes. Then, in turns, the speaker with the least weight in the
 * batch adds one submission, as long as it fits. Other submissions may pass one with too many refused events, except those of its own
 * partition, because each moves the offset on from where the previous one leaves it. Both lists are in the order of arrival.
 */
export function takeNext<T extends Counted>(
  waiting: readonly T[],
): { readonly batch: readonly T[]; readonly rest: T[] } {
  const queues = queuesOf(waiting);
  const share = queues.length > 1 ? MAX_BATCH_OF_ONE : MAX_BATCH_EVENTS;
  const batch: Placed<T>[] = [];
  const passed = new Set<string>();
  let taken = 0;
  let refused = 0;

  /** Returns the speaker's oldest submission that may go now. Nothing passes a submission that is too large. */
  function nextOf(queue: Queue<T>): Placed<T> | undefined {
    while (queue.next < queue.waiting.length) {
      const next = queue.waiting[queue.next++]!;
      const { submission, weight, refused: ofOne } = next.one;
      const partition = partitionOf(submission);
      const isFirst = batch.length === 0;
      if (!isFirst && (taken + weight > MAX_BATCH_EVENTS || (queue.taken > 0 && queue.taken + weight > share))) break;
      const isHeldBack = partition !== undefined && passed.has(partition);
      const isTooBad = !isFirst && ofOne > 0 && refused + ofOne > MAX_BATCH_REFUSED;
      if (!isHeldBack && !isTooBad) return next;
      if (partition !== undefined) passed.add(partition);
    }
    queue.next = queue.waiting.length;
    return undefined;
  }

  for (let queue = emptiest(queues); queue !== undefined; queue = emptiest(queues)) {
    const next = nextOf(queue);
    if (next === undefined) continue;
    batch.push(next);
    queue.taken += next.one.weight;
    taken += next.one.weight;
    refused += next.one.refused;
  }
  const chosen = new Set(batch.map(({ one }) => one));
  return {
    batch: batch.sort((a, b) => a.at - b.at).map(({ one }) => one),
    rest: waiting.filter((one) => !chosen.has(one)),
  };
}

function queuesOf<T extends Counted>(waiting: readonly T[]): Queue<T>[] {
  const queues = new Map<string, Queue<T>>();
  for (const [at, one] of waiting.entries()) {
    const queue = queues.get(one.speaker);
    if (queue) queue.waiting.push({ one, at });
    else queues.set(one.speaker, { waiting: [{ one, at }], next: 0, taken: 0 });
  }
  return [...queues.values()];
}

/** Returns the queue with the least weight in the batch; among equals, the queue whose next submission has waited longest. */
function emptiest<T>(queues: readonly Queue<T>[]): Queue<T> | undefined {
  let best: Queue<T> | undefined;
  for (const queue of queues) {
    const next = queue.waiting[queue.next];
    if (next === undefined) continue;
    if (!best || queue.taken < best.taken || (queue.taken === best.taken && next.at < best.waiting[best.next]!.at))
      best = queue;
  }
  return best;
}

const partitionOf = ({ offset }: Submission): string | undefined => offset && `${offset.topic}/${offset.partition}`;
