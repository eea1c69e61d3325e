import { DIMENSIONS } from '../dimension.js';

/** The dimensions of a selector: one bit each, and their positions in order. */
export interface Shape {
  readonly bits: number;
  readonly positions: readonly number[];
  rules: number;
}

/** The shapes that the selectors of an index have. A search looks up one combination of a token's keys a shape. */
export interface Shapes {
  readonly list: readonly Shape[];
  /** Bits of every dimension that occurs in a shape. */
  readonly used: number;
  /** Counts one more selector of this shape. */
  add(bits: number): void;
  /** Counts one less. The shape goes with its last selector. */
  drop(bits: number): void;
  clear(): void;
}

export function createShapes(): Shapes {
  let list: Shape[] = [];
  let used = 0;

  const find = (bits: number): Shape | undefined => list.find((one) => one.bits === bits);

  function set(now: Shape[]): void {
    list = now;
    used = now.reduce((bits, shape) => bits | shape.bits, 0);
  }

  return {
    get list() {
      return list;
    },
    get used() {
      return used;
    },
    add(bits) {
      const shape = find(bits);
      if (shape) shape.rules += 1;
      else set([...list, { bits, positions: positionsOf(bits), rules: 1 }]);
    },
    drop(bits) {
      const shape = find(bits)!;
      shape.rules -= 1;
      if (shape.rules === 0) set(list.filter((one) => one !== shape));
    },
    clear: () => set([]),
  };
}

const positionsOf = (shape: number): number[] =>
  DIMENSIONS.flatMap((_, position) => (shape & (1 << position) ? [position] : []));
