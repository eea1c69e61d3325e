import type { PoolClient } from 'pg';
import { int4Array, loadSql, uuidArray } from '../../platform/postgres/index.js';
import type { ProjectedEvent } from '../event.js';
import { snapshotAt } from './blocks.js';

const SNAPSHOT_EDGES = loadSql(import.meta.url, 'snapshot-edges.sql');

/** For each tenant, the last snapshot that a session found committed. */
const taken = new WeakMap<PoolClient, Map<string, number>>();

/**
 * Takes the snapshots of pairs that are due once the events' indexes are in the ledger. All uses below them must be written before
 * the call. A snapshot is due by the index and if it does not exist yet, because no projection may see the entry at the boundary.
 */
export async function takeSnapshots(
  client: PoolClient,
  events: readonly Pick<ProjectedEvent, 'tenant' | 'ix'>[],
): Promise<void> {
  const known = taken.get(client) ?? new Map<string, number>();
  taken.set(client, known);
  const last = new Map(events.map(({ tenant, ix }) => [tenant, ix]));
  const due = [...last]
    .map(([tenant, ix]) => ({ tenant, snap: snapshotAt(ix) }))
    .filter(({ tenant, snap }) => snap > (known.get(tenant) ?? 0));
  if (due.length === 0) return;
  const { rows } = await client.query<{ tenant: string; snap: number }>(SNAPSHOT_EDGES, [
    uuidArray(due.map(({ tenant }) => tenant)),
    int4Array(due.map(({ snap }) => snap)),
  ]);
  // A snapshot is cached only when it is found again later: this transaction may still be rolled back.
  for (const { tenant, snap } of rows) known.set(tenant, snap);
}
