import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import {
  commandFromEvent,
  isRuleEvent,
  type Command,
  type ControlLog,
  type ControlState,
} from '../../control/index.js';
import type { Accepted } from '../accept/accept.js';
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
  function ruleCommand({ source, name, event, timeMs, arrivedMs, content }: Accepted): Command {
    return commandFromEvent({
      tenant: state.tenant(source.tenant)!,
      source,
      event: { name, data: event.data, id: event.id, timeMs, arrivedMs } as Parameters<
        typeof commandFromEvent
      >[0]['event'],
      content,
      newId: randomUUID,
    });
  }

  /** Finds rule events whose id already belongs to other content, earlier or in this batch. They must order nothing. */
  async function findConflicting(
    events: readonly (Judged & Accepted)[],
    accepted: readonly (Judged & Accepted)[],
  ): Promise<ReadonlySet<Judged>> {
    const firstContent = new Map<string, string>();
    const idOf = ({ source, event }: Accepted): string => JSON.stringify([source.id, event.id]);
    for (const judged of accepted) if (!firstContent.has(idOf(judged))) firstContent.set(idOf(judged), judged.content);
    const entries = events.map((judged) => sealEvent(judged, state));
    const { rows } = await pool.query<{ nth: string }>(
      `SELECT w.nth FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) WITH ORDINALITY AS w (tenant, key, hash, nth)
       CROSS JOIN LATERAL (SELECT hash FROM dedupe WHERE tenant = w.tenant AND key = w.key LIMIT 1) d WHERE d.hash <> w.hash`,
      [
        entries.map(({ tenant }) => tenant),
        entries.map(({ dedupeKey }) => Buffer.from(dedupeKey, 'latin1')),
        entries.map(({ hash }) => Buffer.from(hash, 'latin1')),
      ],
    );
    const known = rows.map(({ nth }) => events[Number(nth) - 1]!);
    return new Set([...known, ...events.filter((judged) => firstContent.get(idOf(judged)) !== judged.content)]);
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
