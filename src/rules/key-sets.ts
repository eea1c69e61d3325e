import { COMMON_DIMENSIONS, DIMENSIONS, ruleKey, type Dimension, type Parts, type RuleKey } from './dimension.js';

/** Keys of a dimension that are remembered, of names that many tokens have; when there are more, they are gathered anew. */
const MAX_COMMON = 4_096;

/**
 * Collects the keys of one token, each name hashed once however often its lineage has it. It names the same client, resource
 * and issuers as those before it: their keys are not computed again, and are held once.
 */
export class KeySets {
  readonly #tenantKey: Uint8Array;
  readonly #common: readonly CommonKeys[];
  readonly #maxValues: number;
  readonly #named: Parts[][] = DIMENSIONS.map(() => []);
  readonly #sets: RuleKey[][] = DIMENSIONS.map(() => []);
  #isOver = false;

  constructor(tenantKey: Uint8Array, maxValues: number) {
    this.#tenantKey = tenantKey;
    this.#common = commonOf(tenantKey);
    this.#maxValues = maxValues;
  }

  /** By position in `DIMENSIONS`; undefined when one holds more than its bound. */
  get sets(): readonly (readonly RuleKey[])[] | undefined {
    return this.#isOver ? undefined : this.#sets;
  }

  add(dimension: Dimension, parts: Parts): void {
    const position = POSITIONS[dimension];
    const named = this.#named[position]!;
    // Names are compared part by part: to spell them costs as much as to hash them.
    if (this.#isOver || named.some((other) => isSame(other, parts))) return;
    if (named.length === this.#maxValues) {
      this.#isOver = true;
      return;
    }
    named.push(parts);
    this.#sets[position]!.push(COMMON_DIMENSIONS.has(dimension) ? this.#commonKey(position, dimension, parts) : ruleKey(this.#tenantKey, dimension, parts));
  }

  #commonKey(position: number, dimension: Dimension, parts: Parts): RuleKey {
    const common = this.#common[position]!;
    const [first, second] = parts as readonly [string, string?];
    let key = common.keys.get(first)?.get(second);
    if (key === undefined) {
      key = ruleKey(this.#tenantKey, dimension, parts);
      if (common.size === MAX_COMMON) {
        common.keys.clear();
        common.size = 0;
      }
      const ofFirst = common.keys.get(first) ?? new Map<string | undefined, RuleKey>();
      common.keys.set(first, ofFirst.set(second, key));
      common.size++;
    }
    return key;
  }
}

/** By a name's one or two parts. */
interface CommonKeys {
  readonly keys: Map<string, Map<string | undefined, RuleKey>>;
  size: number;
}

const commonKeys = new WeakMap<Uint8Array, readonly CommonKeys[]>();

function commonOf(tenantKey: Uint8Array): readonly CommonKeys[] {
  let common = commonKeys.get(tenantKey);
  if (!common) commonKeys.set(tenantKey, (common = DIMENSIONS.map(() => ({ keys: new Map(), size: 0 }))));
  return common;
}

function isSame(one: Parts, other: Parts): boolean {
  if (one.length !== other.length) return false;
  for (let nth = one.length - 1; nth >= 0; nth--) if (one[nth] !== other[nth]) return false;
  return true;
}

const POSITIONS = Object.fromEntries(DIMENSIONS.map((dimension, position) => [dimension, position])) as Readonly<Record<Dimension, number>>;
