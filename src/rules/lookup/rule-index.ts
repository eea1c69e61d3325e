import { deadFrom, reviewFrom, stops, type Effect, type NewRule, type Rule } from '../rule.js';
import type { SelectorKey } from '../selector.js';
import { createRuleColumns } from './rule-columns.js';
import { createSlots } from './slots.js';
import { createTokenSearch, type AnyTokenKeys } from './token-search.js';

/** The most rules that `findAllStopping` returns. */
export const MAX_RULES_NAMED = 100;

/** All live rules of one tenant, indexed by the shape of their selectors. Do not share an index between tenants: their keys differ. */
export interface RuleIndex {
  /** Number of rows; a rule has one row for each of its selectors. */
  readonly size: number;
  /** Counts the rules that stop something at `now`. It looks at each row. */
  count(now: number): number;
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

export function createRuleIndex(): RuleIndex {
  const columns = createRuleColumns();
  const slots = createSlots(columns);
  const search = createTokenSearch({ columns, slots });

  const isBlock = (slot: number): boolean => columns.terms(slot).effect === 'block';

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
    count(now) {
      const rules = new Set<string>();
      for (let slot = 0; slot < columns.end; slot++) {
        if (!columns.isLive(slot)) continue;
        const { effect, until, resume } = columns.terms(slot);
        const isOver = effect === 'block' && resume === true && until !== undefined && until <= now;
        if (!isOver) rules.add(columns.id(slot));
      }
      return rules.size;
    },
    put(rule, ...others) {
      const before = slots.of(rule.id);
      for (const one of others)
        if (one.id !== rule.id)
          throw new RangeError(`all rows of a rule must have one id: ${one.id} is not ${rule.id}`);
      // The new rows are added first: if they are refused, the rule that they would replace must stay.
      const added: number[] = [];
      try {
        for (const one of [rule, ...others]) added.push(columns.add(one));
      } catch (error) {
        for (const slot of added) columns.free(slot);
        throw error;
      }
      before.forEach(slots.remove);
      slots.link(added);
    },
    add: (rule) => slots.link([columns.add(rule)]),
    amend(selector, change) {
      for (const slot of slots.under(selector)) {
        const changed = change(columns.read(slot));
        if (!changed) continue;
        const added = columns.add(changed);
        slots.remove(slot);
        slots.link([added]);
      }
    },
    remove(id, effect) {
      for (const slot of slots.of(id))
        if (effect === undefined || columns.terms(slot).effect === effect) slots.remove(slot);
    },
    get(id) {
      const rows = slots.of(id);
      const slot = rows.find(isBlock) ?? rows[0];
      return slot === undefined ? undefined : columns.read(slot);
    },
    rowsOf: (id) => slots.of(id).map((slot) => columns.read(slot)),
    under: (selector) => slots.under(selector).map((slot) => columns.read(slot)),
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
      if (columns.size < before) slots.relink();
      return before - columns.size;
    },
    dump: () => columns.dump(),
    load(piece) {
      const first = columns.end;
      columns.load(piece);
      slots.link(Array.from({ length: columns.end - first }, (_, nth) => first + nth));
    },
  };
}
