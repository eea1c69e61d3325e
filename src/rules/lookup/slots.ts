import type { SelectorKey } from '../selector.js';
import { createChains, type Chains } from './chains.js';
import type { RuleColumns } from './rule-columns.js';
import { idWords, isUuid } from './rule-id.js';
import { selectorHash } from './selector-hash.js';
import { createShapes, type Shapes } from './shapes.js';

/** Finds the slots of the columns by id and by selector. */
export interface Slots {
  /** Chains of the slots by the hash of their selector. Slots of other selectors may be among them. */
  readonly bySelector: Chains;
  readonly shapes: Shapes;
  /** Returns the slots of the rule with this id. */
  of(id: string): number[];
  /** Returns the slots with exactly this selector. */
  under(selector: SelectorKey): number[];
  /** Makes slots that were added to the columns known. */
  link(added: readonly number[]): void;
  /** Makes every live slot known anew. */
  relink(): void;
  /** Forgets the slot and frees it. */
  remove(slot: number): void;
}

export function createSlots(columns: RuleColumns): Slots {
  const byId = createChains();
  const bySelector = createChains();
  const shapes = createShapes();
  let room = 0;

  function linkOne(slot: number): void {
    byId.link(slot, columns.idWord(slot, 0));
    bySelector.link(slot, columns.hash(slot));
    shapes.add(columns.shape(slot));
  }

  function relink(): void {
    room = columns.capacity;
    byId.reset(room);
    bySelector.reset(room);
    shapes.clear();
    for (let slot = 0; slot < columns.end; slot++) if (columns.isLive(slot)) linkOne(slot);
  }

  return {
    bySelector,
    shapes,
    of(id) {
      const words = idWords(id);
      const found: number[] = [];
      for (let slot = byId.first(words[0]!); slot >= 0; slot = byId.next(slot)) {
        if (words.every((word, nth) => columns.idWord(slot, nth) === word) && (isUuid(id) || columns.id(slot) === id))
          found.push(slot);
      }
      return found;
    },
    under(selector) {
      const found: number[] = [];
      const hash = selectorHash(selector);
      for (let slot = bySelector.first(hash); slot >= 0; slot = bySelector.next(slot)) {
        if (columns.hash(slot) !== hash) continue;
        const rule = columns.read(slot);
        if (rule.selector.shape === selector.shape && rule.selector.key === selector.key) found.push(slot);
      }
      return found;
    },
    link(added) {
      if (columns.capacity > room) relink();
      else for (const slot of added) linkOne(slot);
    },
    relink,
    remove(slot) {
      byId.unlink(slot, columns.idWord(slot, 0));
      bySelector.unlink(slot, columns.hash(slot));
      shapes.drop(columns.shape(slot));
      columns.free(slot);
    },
  };
}
