import { DIMENSIONS, keyOfName, nameOf, type Dimension, type Parts, type RuleKey } from './dimension.js';

/** Keys of names that many tokens have; when there are more, they are gathered anew. A name and its key take some 150 bytes. */
const MAX_COMMON = 8_192;

/** A lineage names the same client, resource and issuers as those before it: their keys are not computed again, and are held once. */
const COMMON: ReadonlySet<Dimension> = new Set<Dimension>(['client', 'agent', 'agent_type', 'resource', 'issuer']);

/** Collects the keys of one token, each name hashed once however often its lineage has it. */
export interface KeySets {
  add(dimension: Dimension, parts: Parts): void;
  /** By position in `DIMENSIONS`; undefined when one holds more than its bound. */
  readonly sets: readonly (readonly RuleKey[])[] | undefined;
}

export function createKeySets(tenantKey: Uint8Array, maxValues: number): KeySets {
  const common = commonOf(tenantKey);
  const names: string[][] = DIMENSIONS.map(() => []);
  const sets: RuleKey[][] = DIMENSIONS.map(() => []);
  let isOver = false;

  function add(dimension: Dimension, parts: Parts): void {
    const position = POSITIONS[dimension];
    const name = nameOf(parts);
    if (isOver || names[position]!.includes(name)) return;
    if (names[position]!.length === maxValues) {
      isOver = true;
      return;
    }
    names[position]!.push(name);
    sets[position]!.push(COMMON.has(dimension) ? commonKey(common[position]!, dimension, name) : keyOfName(tenantKey, dimension, name));
  }

  function commonKey(known: Map<string, RuleKey>, dimension: Dimension, name: string): RuleKey {
    let key = known.get(name);
    if (key === undefined) {
      if (known.size === MAX_COMMON) known.clear();
      known.set(name, (key = keyOfName(tenantKey, dimension, name)));
    }
    return key;
  }

  return {
    add,
    get sets() {
      return isOver ? undefined : sets;
    },
  };
}

const POSITIONS = Object.fromEntries(DIMENSIONS.map((dimension, position) => [dimension, position])) as Readonly<Record<Dimension, number>>;

type CommonKeys = readonly Map<string, RuleKey>[];
const commonKeys = new WeakMap<Uint8Array, CommonKeys>();

function commonOf(tenantKey: Uint8Array): CommonKeys {
  let common = commonKeys.get(tenantKey);
  if (!common) commonKeys.set(tenantKey, (common = DIMENSIONS.map(() => new Map())));
  return common;
}
