import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import {
  commandFromEvent,
  isRuleEvent,
  type Command,
  type ControlLog,
  type ControlState,
} from '../../control/index.js';
import { findKnown, saysTheSame, type NewEntry } from '../../log/index.js';
import { contentOf, type Accepted } from '../accept/accept.js';
import { isOpen, type Item, type OpenItem } from './submission.js';
import { sealEvent } from './write-batch.pg.js';

export interface RuleOrders {
  /**
   * Orders the rules of a batch's events before the batch is written. Each rule applies once (design, section 4). Refuses the events whose id
   * already belongs to other content.
   */
  order(items: readonly Item[]): Promise<void>;
}

export interface RuleOrdersOptions {
  readonly pool: Pool;
  readonly controlLog: ControlLog;
  readonly state: ControlState;
}

export function createRuleOrders({ pool, controlLog, state }: RuleOrdersOptions): RuleOrders {
  function ruleCommand({ source, name, event, timeMs, arrivedMs, arrived }: Accepted): Command {
    return commandFromEvent({
      tenant: state.tenant(source.tenant)!,
      source,
      event: { name, data: event.data, id: event.id, timeMs, arrivedMs } as Parameters<
        typeof commandFromEvent
      >[0]['event'],
      content: contentOf(arrived),
      newId: randomUUID,
    });
  }

  /** Finds rule events whose id already belongs to other content, earlier or in this batch. They must order nothing. */
  async function findConflicting(events: readonly OpenItem[], open: readonly OpenItem[]): Promise<ReadonlySet<Item>> {
    const keyOf = ({ tenant, dedupeKey }: NewEntry): string => `${tenant}${dedupeKey}`;
    const firsts = new Map<string, NewEntry>();
    for (const { judged } of open) {
      const entry = sealEvent(judged, state);
      if (!firsts.has(keyOf(entry))) firsts.set(keyOf(entry), entry);
    }
    const entries = events.map(({ judged }) => sealEvent(judged, state));
    const known = await findKnown(pool, entries);
    const conflicts = (entry: NewEntry, nth: number): boolean => {
      const first = known.get(nth) ?? { payload: firsts.get(keyOf(entry))!, hash: null };
      return first.payload !== entry && !saysTheSame(first, entry, contentOf);
    };
    return new Set(events.filter((_, nth) => conflicts(entries[nth]!, nth)));
  }

  return {
    async order(items) {
      const open = items.filter(isOpen);
      const events = open.filter(({ judged }) => isRuleEvent(judged.name));
      if (events.length === 0) return;
      const conflicting = await findConflicting(events, open);
      const detail = 'an event with other content has this id already; give each event an id of its own';
      // Commands that wait in one process share a statement.
      await Promise.all(
        events.map(async (item) => {
          const isOrdered = !conflicting.has(item) && (await controlLog.append(ruleCommand(item.judged))).same;
          if (!isOrdered) item.refusal = { code: 'conflict', detail };
        }),
      );
    },
  };
}
