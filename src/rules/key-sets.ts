import { DIMENSION_TABLE, DIMENSIONS, ruleKey, type Dimension, type Parts, type RuleKey } from './dimension.js';

/** Keys that are cached for a common dimension of a tenant. When the cache is full it is emptied. */
const MAX_COMMON = 4_096;

/**
 * Collects the keys of one token. A name is hashed once, however often the lineage has it. Many tokens name the same client,
 * resource and issuers, so the keys of these common names are cached for each tenant and shared in memory.
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

  /** Keys by position in `DIMENSIONS`; undefined if a dimension has more than `maxValues`. */
  get sets(): readonly (readonly RuleKey[])[] | undefined {
    return this.#isOver ? undefined : this.#sets;
  }

  add(dimension: Dimension, parts: Parts): void {
    const position = POSITIONS[dimension];
    const named = this.#named[position]!;
    // Compared part by part: building one string of a name costs as much as hashing it.
    if (this.#isOver || named.some((other) => isSame(other, parts))) return;
    if (named.length === this.#maxValues) {
      this.#isOver = true;
      return;
    }
    named.push(parts);
    this.#sets[position]!.push(
      DIMENSION_TABLE[dimension].recurs
        ? this.#commonKey(position, dimension, parts)
        : ruleKey(this.#tenantKey, dimension, parts),
    );
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

/** Cached keys by the one or two parts of a name. */
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

const POSITIONS = Object.fromEntries(DIMENSIONS.map((dimension, position) => [dimension, position])) as Readonly<
  Record<Dimension, number>
>;
