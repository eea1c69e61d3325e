import { createChains } from './chains.js';
import { DIMENSIONS, KEY_BYTES } from './dimension.js';
import { keyWord, KEY_WORDS } from './key-pool.js';
import { PACKED_KEYS_AT } from './packed-keys.js';
import { createRuleColumns } from './rule-columns.js';
import { idWords, isUuid } from './rule-id.js';
import { deadFrom, reviewFrom, stops, type Effect, type NewRule, type Rule } from './rule.js';
import { hashMember, hashShape, selectorHash } from './selector-hash.js';
import { MAX_SELECTOR_MEMBERS } from '../contracts/index.js';
import type { SelectorKey } from './selector.js';
import { MAX_VALUES_PER_DIMENSION, type PackedTokenKeys, type TokenKeys } from './token-keys.js';

/** The most rules that `findAllStopping` returns. */
export const MAX_RULES_NAMED = 100;

export type AnyTokenKeys = TokenKeys | PackedTokenKeys;

/** All live rules of one tenant, indexed by the shape of their selectors. Do not share an index between tenants: their keys differ. */
export interface RuleIndex {
  /** Number of rows; a rule has one row for each of its selectors. */
  readonly size: number;
  /**
   * Adds a rule, or replaces the rule with its id. A rule with several selectors has several rows with one id. Throws RangeError,
   * and changes nothing, for a rule that no record may hold.
   */
  put(rule: NewRule, ...others: readonly NewRule[]): void;
  /** Adds a row to the rows of the rule. */
  add(rule: NewRule): void;
  /** Replaces each row with exactly this selector by what `change` returns for it; undefined keeps the row. Id and selector must stay the same. */
  amend(selector: SelectorKey, change: (rule: Rule) => NewRule | undefined): void;
  /** Removes the rows of the rule or, with `effect`, only its rows of this effect. */
  remove(id: string, effect?: Effect): void;
  /** Returns one row of the rule, a block if it has one. */
  get(id: string): Rule | undefined;
  /** Returns every row of the rule. */
  rowsOf(id: string): readonly Rule[];
  /** Returns the rules with exactly this selector. */
  under(selector: SelectorKey): readonly Rule[];
  /** Says whether a rule stops this token at `now` (epoch seconds). Decisions use this. */
  isStopped(token: AnyTokenKeys, now: number): boolean;
  /** Finds a rule that stops the token; undefined if none does. */
  findStopping(token: AnyTokenKeys, now: number): Rule | undefined;
  /** Finds the ids of the rules that stop the token, at most {@link MAX_RULES_NAMED}, in no order. */
  findAllStopping(token: AnyTokenKeys, now: number): readonly string[];
  /** Finds the rules by identity that may be dropped at `now` if nothing was recorded with them since their last known use. */
  due(now: number): readonly Rule[];
  /** Drops rules for which every token that they stop at `now` is also refused for its age; returns how many. */
  compact(now: number): number;
  /** Copies all rules, in pieces for `load`. */
  dump(): readonly Buffer[];
  /** Adds a piece that an index dumped. It MUST NOT contain an id that is already in this index. */
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

  /** Bits of every dimension that occurs in a shape. */
  let used = 0;

  // State of the running search, kept here so that a search allocates nothing. By dimension and number, each key of the token: the
  // text that holds it, where it starts there, and its first word; then the number of keys a dimension, and the members picked.
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
      if (words.every((word, nth) => columns.idWord(slot, nth) === word) && (isUuid(id) || columns.id(slot) === id))
        found.push(slot);
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
    for (let position = 0; position < sets.length; position++)
      for (const key of sets[position]!) place(position, key, 0);
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

  /** Walks the product of the token's sets over the shape's dimensions: at most 8⁴ look-ups. */
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
      if (columns.hash(slot) === hash && columns.shape(slot) === bits && isPicked(slot, positions.length) && take(slot))
        return true;
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
      for (const one of others)
        if (one.id !== rule.id)
          throw new RangeError(`all rows of a rule must have one id: ${one.id} is not ${rule.id}`);
      // The new rows are added first: if they are refused, the rule that they would replace must stay.
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
      for (const slot of slotsOf(id))
        if (effect === undefined || columns.terms(slot).effect === effect) removeSlot(slot);
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
        if (columns.isLive(slot) && now >= (reviewFrom(columns.terms(slot)) ?? Infinity))
          found.push(columns.read(slot));
      }
      return found;
    },
    compact(now) {
      const before = columns.size;
      for (let slot = 0; slot < columns.end; slot++) {
        if (columns.isLive(slot) && now >= (deadFrom(columns.terms(slot)) ?? Infinity)) columns.free(slot);
      }
      // Relinked at once: unlinking each of many rules with one selector would walk past all the others.
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

const positionsOf = (shape: number): number[] =>
  DIMENSIONS.flatMap((_, position) => (shape & (1 << position) ? [position] : []));
