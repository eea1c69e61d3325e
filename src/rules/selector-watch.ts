import { DIMENSIONS, KEY_BYTES, type RuleKey } from './dimension.js';
import { MAX_SELECTOR_MEMBERS } from '../contracts/index.js';
import type { SelectorKey } from './selector.js';

/** Selectors that a watch remembers; the oldest are forgotten for new ones. */
export const DEFAULT_MAX_WATCHED = 200_000;

/**
 * Remembers the selectors of recent rules. It answers "did a rule above this seq name this token?", so that a guard asks its node
 * only if the answer is yes. It knows no effects, times or lifts.
 *
 * Implementations MUST answer true for a token that a selector above `after` names. They MAY answer true for any token if `after`
 * is below the oldest seq that they still remember.
 */
export interface SelectorWatch {
  /**
   * Adds a selector; seqs may come twice and in any order. Returns false for a selector that this watch cannot read; the caller must
   * then assume that it names everything.
   */
  add(selector: SelectorKey, seq: bigint): boolean;
  /** Says whether a selector above `after` names the token. `sets` as in `TokenKeys`. */
  namesAfter(sets: readonly (readonly RuleKey[])[], after: bigint): boolean;
  /** Forgets every selector. Questions about a seq below `seq` are answered true from then on. */
  clear(seq: bigint): void;
  readonly size: number;
  /** Highest seq of a forgotten selector. */
  readonly floor: bigint;
}

interface Shape {
  /** Positions in `DIMENSIONS`. */
  readonly positions: readonly number[];
  /** Highest seq of this shape. A token that was checked up to this seq is not looked up in the shape. */
  newest: bigint;
  readonly seqs: Map<string, bigint>;
  /**
   * The keys of first members. Nearly every search ends here, because these strings are the token's own and already hashed. The
   * whole key of a conjunction would have to be joined and hashed for each combination.
   */
  readonly firsts: Map<string, First>;
}

interface First {
  newest: bigint;
  /** Number of selectors that begin with this key. */
  count: number;
}

interface Added {
  readonly shape: Shape;
  readonly key: string;
  readonly seq: bigint;
}

export function createSelectorWatch(maxSelectors: number = DEFAULT_MAX_WATCHED): SelectorWatch {
  const shapes = new Map<number, Shape>();
  // A queue with a moving start. A Map of a million keys would cost more than it saves.
  let added: Added[] = [];
  let oldest = 0;
  let floor = -1n;

  function dropOldest(): void {
    const { shape, key, seq } = added[oldest]!;
    oldest++;
    if (shape.seqs.get(key) === seq) {
      shape.seqs.delete(key);
      const begins = key.slice(0, KEY_BYTES);
      const first = shape.firsts.get(begins)!;
      first.count--;
      if (first.count === 0) shape.firsts.delete(begins);
    }
    if (seq > floor) floor = seq;
    if (oldest > maxSelectors) {
      added = added.slice(oldest);
      oldest = 0;
    }
  }

  return {
    add(selector, seq) {
      const shape = shapes.get(selector.shape) ?? shapeOf(selector.shape);
      if (shape === undefined || selector.key.length !== shape.positions.length * KEY_BYTES) return false;
      shapes.set(selector.shape, shape);
      const known = shape.seqs.get(selector.key);
      if (known !== undefined && known >= seq) return true;
      shape.seqs.set(selector.key, seq);
      if (seq > shape.newest) shape.newest = seq;
      addFirst(shape, selector.key.slice(0, KEY_BYTES), seq, known === undefined);
      added.push({ shape, key: selector.key, seq });
      if (added.length - oldest > maxSelectors) dropOldest();
      return true;
    },
    namesAfter(sets, after) {
      if (after < floor) return true;
      for (const shape of shapes.values()) if (shape.newest > after && isNamed(shape, sets, after)) return true;
      return false;
    },
    clear(seq) {
      shapes.clear();
      added = [];
      oldest = 0;
      floor = seq;
    },
    get size() {
      return added.length - oldest;
    },
    get floor() {
      return floor;
    },
  };
}

/** Returns undefined for a shape with an unknown dimension or with more members than a selector may have. */
function shapeOf(bits: number): Shape | undefined {
  if (!Number.isInteger(bits) || bits < 0 || bits >= 1 << DIMENSIONS.length) return undefined;
  const positions = DIMENSIONS.flatMap((_, at) => (bits & (1 << at) ? [at] : []));
  return positions.length > MAX_SELECTOR_MEMBERS
    ? undefined
    : { positions, newest: -1n, seqs: new Map(), firsts: new Map() };
}

function addFirst({ firsts }: Shape, key: string, seq: bigint, isNew: boolean): void {
  const first = firsts.get(key);
  if (first === undefined) {
    firsts.set(key, { newest: seq, count: 1 });
    return;
  }
  if (seq > first.newest) first.newest = seq;
  if (isNew) first.count++;
}

function isNamed(shape: Shape, sets: readonly (readonly RuleKey[])[], after: bigint): boolean {
  const [position] = shape.positions;
  if (position === undefined) return true;
  for (const key of sets[position]!) {
    const first = shape.firsts.get(key);
    if (first !== undefined && first.newest > after && isAnyNamed(shape, sets, after, 1, key)) return true;
  }
  return false;
}

/** Walks the product of the sets of the other members: at most 8⁴ look-ups, the first member included. */
function isAnyNamed(
  shape: Shape,
  sets: readonly (readonly RuleKey[])[],
  after: bigint,
  depth: number,
  prefix: string,
): boolean {
  if (depth === shape.positions.length) {
    const seq = shape.seqs.get(prefix);
    return seq !== undefined && seq > after;
  }
  for (const key of sets[shape.positions[depth]!]!)
    if (isAnyNamed(shape, sets, after, depth + 1, prefix + key)) return true;
  return false;
}
