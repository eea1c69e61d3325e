/** An entry carries its mark itself, because a hit looks at the entry anyway. */
export interface Markable {
  asked: boolean;
}

/** A bounded map. */
export interface SecondChance<V extends Markable> {
  get(key: string): V | undefined;
  /** Makes room where it is full: the oldest goes that was not asked for since it was last passed over. */
  set(key: string, value: V): void;
  delete(key: string): void;
  clear(): void;
  readonly size: number;
}

/**
 * Forgets nearly what a list by recency would, but a hit writes to nothing but its own value: with many tokens, moving
 * one to the head of a list costs more than all else of a look-up.
 */
export function createSecondChance<V extends Markable>({ max }: { readonly max: number }): SecondChance<V> {
  const held = new Map<string, V>();
  // A Map is in the order of insertion, and its iterator goes on where it stood also after changes. Not before there is
  // something to forget: an iterator that stands still keeps every table that the Map has outgrown.
  let oldest: MapIterator<[string, V]> | undefined;

  function makeRoom(): void {
    while (held.size >= max) {
      oldest ??= held.entries();
      // All that the iterator has passed was taken out, so that it never ends while something is held.
      const [key, one] = oldest.next().value!;
      held.delete(key);
      if (!one.asked) continue;
      one.asked = false;
      held.set(key, one);
    }
  }

  return {
    get size() {
      return held.size;
    },
    get(key) {
      const value = held.get(key);
      if (value !== undefined && !value.asked) value.asked = true;
      return value;
    },
    set(key, value) {
      if (!held.has(key)) makeRoom();
      held.set(key, value);
    },
    delete: (key) => void held.delete(key),
    clear() {
      held.clear();
      oldest = undefined;
    },
  };
}
