/** A queue of values by due time. Values due at the same moment leave in the order in which they were put. */
export interface Queue<T> {
  put(at: number, value: T): void;
  /** Takes, in order, every value that is due before `at`. */
  before(at: number): Generator<T, void>;
}

interface Waiting<T> {
  readonly at: number;
  readonly nth: number;
  readonly value: T;
}

/** Creates a queue as a binary heap. */
export function createQueue<T>(): Queue<T> {
  const heap: Waiting<T>[] = [];
  let count = 0;
  const isBefore = (one: Waiting<T>, other: Waiting<T>): boolean =>
    one.at < other.at || (one.at === other.at && one.nth < other.nth);

  function rise(from: number): void {
    const moved = heap[from]!;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(moved, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = moved;
  }

  function sink(moved: Waiting<T>): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, moved)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = moved;
  }

  return {
    put(at, value) {
      heap.push({ at, nth: count++, value });
      rise(heap.length - 1);
    },
    *before(at) {
      while (heap.length > 0 && heap[0]!.at < at) {
        const { value } = heap[0]!;
        const last = heap.pop()!;
        if (heap.length > 0) sink(last);
        yield value;
      }
    },
  };
}
