import type { PoolClient } from 'pg';
import { int4Array, int8Array, loadSql, uuidArray } from '../../platform/postgres/index.js';
import type { Edge } from './edge-writes.js';

const WRITE_SEEN = loadSql(import.meta.url, 'write-seen.sql');

export interface SeenEdge extends Edge {
  readonly ix: bigint;
}

/** Writes the first index at which a grant or a connection shows a client and a resource together. */
export async function writeSeen(client: PoolClient, edges: readonly SeenEdge[]): Promise<void> {
  const first = new Map<string, SeenEdge>();
  for (const { tenant, client: id, res, ix } of edges) {
    const name = `${tenant}|${id}|${res}`;
    const known = first.get(name);
    if (known === undefined || ix < known.ix) first.set(name, { tenant, client: id, res, ix });
  }
  if (first.size === 0) return;
  const rows = [...first.values()];
  await client.query(WRITE_SEEN, [
    uuidArray(rows.map(({ tenant }) => tenant)),
    int4Array(rows.map((row) => row.client)),
    int4Array(rows.map(({ res }) => res)),
    int8Array(rows.map(({ ix }) => ix)),
  ]);
}
