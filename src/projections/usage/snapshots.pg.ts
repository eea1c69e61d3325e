import type { PoolClient } from 'pg';
import { int4Array, loadSql, uuidArray } from '../../platform/postgres/index.js';
import type { ProjectedEvent } from '../event.js';
import { snapshotAt } from './blocks.js';

const SNAPSHOT_EDGES = loadSql(import.meta.url, 'snapshot-edges.sql');

/** The last snapshot of each tenant that a session found committed. */
const taken = new WeakMap<PoolClient, Map<string, number>>();

/**
 * Takes the snapshots of pairs that are due once the events' indexes are in the ledger. All that counts below is written by then. That
 * one is due is seen from the index and from what is there, since the entry at the boundary need not be of any projection's concern.
 */
export async function takeSnapshots(client: PoolClient, events: readonly Pick<ProjectedEvent, 'tenant' | 'ix'>[]): Promise<void> {
  const known = taken.get(client) ?? new Map<string, number>();
  taken.set(client, known);
  const last = new Map(events.map(({ tenant, ix }) => [tenant, ix]));
  const due = [...last].map(([tenant, ix]) => ({ tenant, snap: snapshotAt(ix) })).filter(({ tenant, snap }) => snap > (known.get(tenant) ?? 0));
  if (due.length === 0) return;
  const { rows } = await client.query<{ tenant: string; snap: number }>(SNAPSHOT_EDGES, [
    uuidArray(due.map(({ tenant }) => tenant)),
    int4Array(due.map(({ snap }) => snap)),
  ]);
  // One that was taken just now is remembered when it is met again: this transaction may yet be rolled back.
  for (const { tenant, snap } of rows) known.set(tenant, snap);
}
