import { createChains } from './chains.js';
import { DIMENSIONS, KEY_BYTES } from './dimension.js';
import { keyWord, KEY_WORDS } from './key-pool.js';
import { PACKED_KEYS_AT } from './packed-keys.js';
import { createRuleColumns } from './rule-columns.js';
import { idWords, isUuid } from './rule-id.js';
import { deadFrom, reviewFrom, stops, type Effect, type NewRule, type Rule } from './rule.js';
import { hashMember, hashShape, selectorHash } from './selector-hash.js';
import { MAX_SELECTOR_MEMBERS, type SelectorKey } from './selector.js';
import { MAX_VALUES_PER_DIMENSION, type PackedTokenKeys, type TokenKeys } from './token-keys.js';

/** Rules that `findAllStopping` names at most. */
export const MAX_RULES_NAMED = 100;

export type AnyTokenKeys = TokenKeys | PackedTokenKeys;

/** All live rules of one tenant, by the shape of their selector. Not safe to share between tenants: keys differ. */
export interface RuleIndex {
  /** Rows: selectors of rules. */
  readonly size: number;
  /**
   * Adds a rule, or replaces the one with its id. A rule of several selectors is several rows of one id. Throws RangeError for
   * one that no record may hold.
   */
  put(rule: NewRule, ...others: readonly NewRule[]): void;
  /** Adds a row to those that the rule has. */
  add(rule: NewRule): void;
  /** Replaces, of the rows with exactly this selector, those that `change` gives another for, of the same id and selector. */
  amend(selector: SelectorKey, change: (rule: Rule) => NewRule | undefined): void;
  /** With `effect`: its rows of this effect alone. */
  remove(id: string, effect?: Effect): void;
  /** A row of the rule; a block where it has one. */
  get(id: string): Rule | undefined;
  /** Every row of the rule. */
  rowsOf(id: string): readonly Rule[];
  /** Rules with exactly this selector. */
  under(selector: SelectorKey): readonly Rule[];
  /** Whether some rule stops this token at `now` (epoch seconds): what a decision asks. */
  isStopped(token: AnyTokenKeys, now: number): boolean;
  /** Some rule that does, or undefined. */
  findStopping(token: AnyTokenKeys, now: number): Rule | undefined;
  /** Ids of the rules that stop it, at most {@link MAX_RULES_NAMED}, in no order. */
  findAllStopping(token: AnyTokenKeys, now: number): readonly string[];
  /** Rules by identity that may be dropped at `now`, if nothing was recorded with them since their last known use. */
  due(now: number): readonly Rule[];
  /** Drops rules that at `now` stop nothing which its age does not stop too; says how many. */
  compact(now: number): number;
  /** Copies of all rules, in pieces for `load`. */
  dump(): readonly Buffer[];
  /** Adds a piece of what an index dumped; ids that are here already MUST NOT be in it. */
  load(piece: Buffer): void;
}

interface Shape {
  readonly bits: number;
  readonly positions: readonly number[];
  rules: number;
}

export function createRuleIndex(): RuleIndex {
  const columns = createRuleColumns();
  const byId = createChains();
  const bySelector = createChains();
  let room = 0;
  let shapes: Shape[] = [];

  /** Of every dimension that some shape has. */
  let used = 0;

  // What a search is about, here so that it allocates nothing: each key of the token stands in a text from a place on, by
  // dimension and number; how many a dimension has; their first words; and the members picked.
  const texts: string[] = Array.from({ length: DIMENSIONS.length * MAX_VALUES_PER_DIMENSION }, () => '');
  const starts = new Uint32Array(texts.length);
  const firstWords = new Uint32Array(texts.length);
  const counts = new Uint8Array(DIMENSIONS.length);
  const picked = new Uint8Array(MAX_SELECTOR_MEMBERS);

  function link(slot: number): void {
    byId.link(slot, columns.idWord(slot, 0));
    bySelector.link(slot, columns.hash(slot));
    const bits = columns.shape(slot);
    const shape = shapes.find((one) => one.bits === bits);
    if (shape) shape.rules += 1;
    else setShapes([...shapes, { bits, positions: positionsOf(bits), rules: 1 }]);
  }

  function setShapes(now: Shape[]): void {
    shapes = now;
    used = now.reduce((bits, shape) => bits | shape.bits, 0);
  }

  function relink(): void {
    room = columns.capacity;
    byId.reset(room);
    bySelector.reset(room);
    setShapes([]);
    for (let slot = 0; slot < columns.end; slot++) if (columns.isLive(slot)) link(slot);
  }

  function slotsOf(id: string): number[] {
    const words = idWords(id);
    const found: number[] = [];
    for (let slot = byId.first(words[0]!); slot >= 0; slot = byId.next(slot)) {
      if (words.every((word, nth) => columns.idWord(slot, nth) === word) && (isUuid(id) || columns.id(slot) === id)) found.push(slot);
    }
    return found;
  }

  function slotsUnder(selector: SelectorKey): number[] {
    const found: number[] = [];
    const hash = selectorHash(selector);
    for (let slot = bySelector.first(hash); slot >= 0; slot = bySelector.next(slot)) {
      if (columns.hash(slot) !== hash) continue;
      const rule = columns.read(slot);
      if (rule.selector.shape === selector.shape && rule.selector.key === selector.key) found.push(slot);
    }
    return found;
  }

  function linkNew(slots: readonly number[]): void {
    if (columns.capacity > room) relink();
    else for (const slot of slots) link(slot);
  }

  const isBlock = (slot: number): boolean => columns.terms(slot).effect === 'block';

  function removeSlot(slot: number): void {
    byId.unlink(slot, columns.idWord(slot, 0));
    bySelector.unlink(slot, columns.hash(slot));
    const shape = shapes.find(({ bits }) => bits === columns.shape(slot))!;
    shape.rules -= 1;
    if (shape.rules === 0) setShapes(shapes.filter((one) => one !== shape));
    columns.free(slot);
  }

  /** Calls `take` with every slot whose selector the token has, until it returns true. */
  function search(token: AnyTokenKeys, take: (slot: number) => boolean): void {
    if (shapes.length === 0) return;
    counts.fill(0);
    if ('sets' in token) {
      placeSets(token.sets);
    } else {
      placePacked(token.own);
      placePacked(token.common);
    }
    for (const shape of shapes) if (searchShape(shape, 0, hashShape(shape.bits), take)) return;
  }

  function placePacked(packed: string): void {
    let start = PACKED_KEYS_AT;
    for (let position = 0; position < DIMENSIONS.length; position++) {
      for (let left = packed.charCodeAt(position); left > 0; left--) {
        place(position, packed, start);
        start += KEY_BYTES;
      }
    }
  }

  function placeSets(sets: TokenKeys['sets']): void {
    for (let position = 0; position < sets.length; position++) for (const key of sets[position]!) place(position, key, 0);
  }

  function place(position: number, text: string, start: number): void {
    const nth = counts[position]!++;
    if (nth === MAX_VALUES_PER_DIMENSION) throw new RangeError('a token with so many values is never active');
    if ((used & (1 << position)) === 0) return;
    const at = position * MAX_VALUES_PER_DIMENSION + nth;
    texts[at] = text;
    starts[at] = start;
    firstWords[at] = keyWord(text, 0, start);
  }

  /** Walks the product of the token's sets over the shape's dimensions: at most 8 to the 4th look-ups. */
  function searchShape(shape: Shape, depth: number, hash: number, take: (slot: number) => boolean): boolean {
    if (depth === shape.positions.length) return searchSelector(shape, hash >>> 0, take);
    const position = shape.positions[depth]!;
    const first = position * MAX_VALUES_PER_DIMENSION;
    for (let at = first; at < first + counts[position]!; at++) {
      picked[depth] = at;
      if (searchShape(shape, depth + 1, hashMember(hash, firstWords[at]!), take)) return true;
    }
    return false;
  }

  function searchSelector({ bits, positions }: Shape, hash: number, take: (slot: number) => boolean): boolean {
    for (let slot = bySelector.first(hash); slot >= 0; slot = bySelector.next(slot)) {
      if (columns.hash(slot) === hash && columns.shape(slot) === bits && isPicked(slot, positions.length) && take(slot)) return true;
    }
    return false;
  }

  function isPicked(slot: number, members: number): boolean {
    for (let nth = 0; nth < members * KEY_WORDS; nth++) {
      const at = picked[nth >> 2]!;
      if (columns.keyWord(slot, nth) !== keyWord(texts[at]!, nth & 3, starts[at]!)) return false;
    }
    return true;
  }

  function firstStopping(token: AnyTokenKeys, now: number): number {
    let found = -1;
    search(token, (slot) => {
      if (!stops(columns.terms(slot), token, now)) return false;
      found = slot;
      return true;
    });
    return found;
  }

  return {
    get size() {
      return columns.size;
    },
    put(rule, ...others) {
      const before = slotsOf(rule.id);
      for (const one of others) if (one.id !== rule.id) throw new RangeError(`rule ${one.id} is another than ${rule.id}`);
      // Added first: a rule that is refused must leave the one that it would have replaced.
      const slots: number[] = [];
      try {
        for (const one of [rule, ...others]) slots.push(columns.add(one));
      } catch (error) {
        for (const slot of slots) columns.free(slot);
        throw error;
      }
      for (const slot of before) removeSlot(slot);
      linkNew(slots);
    },
    add: (rule) => linkNew([columns.add(rule)]),
    amend(selector, change) {
      for (const slot of slotsUnder(selector)) {
        const changed = change(columns.read(slot));
        if (!changed) continue;
        const added = columns.add(changed);
        removeSlot(slot);
        linkNew([added]);
      }
    },
    remove(id, effect) {
      for (const slot of slotsOf(id)) if (effect === undefined || columns.terms(slot).effect === effect) removeSlot(slot);
    },
    get(id) {
      const slots = slotsOf(id);
      const slot = slots.find(isBlock) ?? slots[0];
      return slot === undefined ? undefined : columns.read(slot);
    },
    rowsOf: (id) => slotsOf(id).map((slot) => columns.read(slot)),
    under: (selector) => slotsUnder(selector).map((slot) => columns.read(slot)),
    isStopped: (token, now) => firstStopping(token, now) >= 0,
    findStopping(token, now) {
      const slot = firstStopping(token, now);
      return slot < 0 ? undefined : columns.read(slot);
    },
    findAllStopping(token, now) {
      const found = new Set<string>();
      search(token, (slot) => {
        if (stops(columns.terms(slot), token, now)) found.add(columns.id(slot));
        return found.size === MAX_RULES_NAMED;
      });
      return [...found];
    },
    due(now) {
      const found: Rule[] = [];
      for (let slot = 0; slot < columns.end; slot++) {
        if (columns.isLive(slot) && now >= (reviewFrom(columns.terms(slot)) ?? Infinity)) found.push(columns.read(slot));
      }
      return found;
    },
    compact(now) {
      const before = columns.size;
      for (let slot = 0; slot < columns.end; slot++) {
        if (columns.isLive(slot) && now >= (deadFrom(columns.terms(slot)) ?? Infinity)) columns.free(slot);
      }
      // All at once: to unlink one of many rules under one selector is to walk past the others.
      if (columns.size < before) relink();
      return before - columns.size;
    },
    dump: () => columns.dump(),
    load(piece) {
      const first = columns.end;
      columns.load(piece);
      if (columns.capacity > room) relink();
      else for (let slot = first; slot < columns.end; slot++) link(slot);
    },
  };
}

const positionsOf = (shape: number): number[] => DIMENSIONS.flatMap((_, position) => (shape & (1 << position) ? [position] : []));
