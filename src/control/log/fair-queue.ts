/** A queue in which owners take turns. Within an owner it is first come, first served. */
export interface FairQueue<T> {
  readonly size: number;
  push(owner: string, one: T): void;
  /** Takes the next entries, one of each owner in turn, until their weights would add up to more than `room`. The first entry is always taken. */
  take(room: number): T[];
}

export function createFairQueue<T>(weightOf: (one: T) => number): FairQueue<T> {
  // A map keeps its insertion order, so the first owner is the next one. After its turn an owner goes to the end.
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
