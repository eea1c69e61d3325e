import type { FindingChanged } from '../contracts/index.js';
import type { ControlState } from '../control/index.js';
import { findKnown } from '../log/index.js';
import type { Pool } from '../platform/postgres/index.js';
import type { Appender } from './append/appender.pg.js';
import { prepareOwnEvent, type OwnEvent } from './append/own-events.js';

/** A change of a finding's state, as the ledger gets it. */
export interface ToldChange {
  /** Id of the tenant. */
  readonly tenant: string;
  readonly atMs: number;
  readonly data: FindingChanged;
}

/**
 * Writes changes of findings to the ledger. Resolves to the index of the entry when it is durable. A change that is told again has the same entry: its id is
 * made of the number of the change.
 */
export function createFindingTeller(options: {
  readonly state: ControlState;
  readonly appender: Pick<Appender, 'submit'>;
  readonly pool: Pick<Pool, 'query'>;
}): (change: ToldChange) => Promise<bigint> {
  const { state, appender, pool } = options;
  return async ({ tenant: id, atMs, data }) => {
    const tenant = state.tenant(id);
    if (tenant === undefined) throw new Error('the tenant of a finding is gone');
    const event: OwnEvent<'finding.changed'> = {
      tenant,
      name: 'finding.changed',
      id: `finding-change-${data.nth}`,
      timeMs: atMs,
      data,
    };
    await appender.submit({ events: [], own: [event] });
    const known = (await findKnown(pool, [prepareOwnEvent(event)])).get(0);
    if (known === undefined) throw new Error('an entry that was written is not found');
    return known.index;
  };
}
