import { createSecondChance } from './second-chance.js';

/** Holds parts that many tokens share once. A part that is shared seldom may be held again by later tokens. */
export interface Sharer<T> {
  share(name: string, make: () => T): T;
}

/** `max` is the number of values that are kept for sharing; losing one costs memory, never correctness. */
export function createSharer<T>({ max }: { readonly max: number }): Sharer<T> {
  const pool = createSecondChance<{ readonly value: T; asked: boolean }>({ max });
  return {
    share(name, make) {
      let held = pool.get(name);
      if (!held) pool.set(name, (held = { value: make(), asked: false }));
      return held.value;
    },
  };
}
