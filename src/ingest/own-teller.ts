import type { EventDataOf, OwnEventName } from '../contracts/index.js';
import type { ControlState } from '../control/index.js';
import { findKnown } from '../log/index.js';
import type { Pool } from '../platform/postgres/index.js';
import type { Appender } from './append/appender.pg.js';
import { prepareOwnEvent, type OwnEvent } from './append/own-events.js';

/** Something that Rescind tells of itself. */
export interface Told<N extends OwnEventName> {
  /** Id of the tenant. */
  readonly tenant: string;
  /** Id of the event: what is told again under it has the same entry. */
  readonly id: string;
  readonly atMs: number;
  readonly data: EventDataOf[N];
}

/** Writes events of Rescind's own to the ledger. Resolves to the index of the entry when it is durable. */
export function createOwnTeller<N extends OwnEventName>(options: {
  readonly name: N;
  readonly state: ControlState;
  readonly appender: Pick<Appender, 'submit'>;
  readonly pool: Pick<Pool, 'query'>;
}): (told: Told<N>) => Promise<bigint> {
  const { name, state, appender, pool } = options;
  return async ({ tenant: tenantId, id, atMs, data }) => {
    const tenant = state.tenant(tenantId);
    if (tenant === undefined) throw new Error('the tenant of an event is gone');
    const event: OwnEvent<N> = { tenant, name, id, timeMs: atMs, data };
    await appender.submit({ events: [], own: [event] });
    const known = (await findKnown(pool, [prepareOwnEvent(event as OwnEvent)])).get(0);
    if (known === undefined) throw new Error('an entry that was written is not found');
    return known.index;
  };
}
