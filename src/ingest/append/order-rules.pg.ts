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
import type { LateRefusals } from './late-refusals.js';
import { acceptedOf, type Judged, type Submission } from './submission.js';
import { sealEvent } from './write-batch.pg.js';

export interface RuleOrders {
  /**
   * Orders the rules of a batch's events before the batch is written. Each rule applies once (design, section 4). Refuses the events whose id
   * already belongs to other content.
   */
  order(submissions: readonly Submission[], refusals: LateRefusals): Promise<readonly Submission[]>;
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
  async function findConflicting(
    events: readonly (Judged & Accepted)[],
    accepted: readonly (Judged & Accepted)[],
  ): Promise<ReadonlySet<Judged>> {
    const keyOf = ({ tenant, dedupeKey }: NewEntry): string => `${tenant}${dedupeKey}`;
    const firsts = new Map<string, NewEntry>();
    for (const judged of accepted) {
      const entry = sealEvent(judged, state);
      if (!firsts.has(keyOf(entry))) firsts.set(keyOf(entry), entry);
    }
    const entries = events.map((judged) => sealEvent(judged, state));
    const known = await findKnown(pool, entries);
    const conflicts = (entry: NewEntry, nth: number): boolean => {
      const first = known.get(nth) ?? { payload: firsts.get(keyOf(entry))!, hash: null };
      return first.payload !== entry && !saysTheSame(first, entry, contentOf);
    };
    return new Set(events.filter((_, nth) => conflicts(entries[nth]!, nth)));
  }

  return {
    async order(submissions, refusals) {
      const accepted = acceptedOf(submissions);
      const events = accepted.filter(({ name }) => isRuleEvent(name));
      if (events.length === 0) return submissions;
      const known = await findConflicting(events, accepted);
      const refused = new Set<Judged>(known);
      // Commands that wait in one process share a statement.
      await Promise.all(
        events.map(async (judged) => {
          if (known.has(judged)) return;
          const { same } = await controlLog.append(ruleCommand(judged));
          if (!same) refused.add(judged);
        }),
      );
      return refusals.refuse(
        submissions,
        refused,
        'conflict',
        'an event with other content has this id already; give each event an id of its own',
      );
    },
  };
}
