/** First come, first served within an owner; owners take turns. */
export interface FairQueue<T> {
  readonly size: number;
  push(owner: string, one: T): void;
  /** Takes the next ones, one of each owner in turn, as long as `weightOf` adds up to no more than `room`; the first always fits. */
  take(room: number): T[];
}

export function createFairQueue<T>(weightOf: (one: T) => number): FairQueue<T> {
  // A map keeps the order in which owners came; one that had its turn goes to the end.
  const queues = new Map<string, T[]>();
  let size = 0;
  return {
    get size() {
      return size;
    },
    push(owner, one) {
      const queue = queues.get(owner);
      if (queue) queue.push(one);
      else queues.set(owner, [one]);
      size++;
    },
    take(room) {
      const taken: T[] = [];
      let weight = 0;
      while (size > 0) {
        const [owner, queue] = queues.entries().next().value!;
        weight += weightOf(queue[0]!);
        if (taken.length > 0 && weight > room) break;
        taken.push(queue.shift()!);
        size--;
        queues.delete(owner);
        if (queue.length > 0) queues.set(owner, queue);
      }
      return taken;
    },
  };
}
