import { confirmedFor, type Confirmation } from './lease.js';
import type { Seq } from './seq.js';

/** The row of a node: a process that answers from memory. */
export interface NodeRow {
  readonly id: string;
  /** Raised by each renewal. If it has not moved for L, the process no longer answers. */
  readonly counter: bigint;
  /** The least of what the node and its guards have applied. */
  readonly confirmed: Seq;
  /** The same for each tenant. A node of an earlier release does not write it; then `confirmed` alone counts. */
  readonly byTenant: Confirmation;
  /** Number of guards whose grants the confirmation covers. */
  readonly guards: number;
  /** L of this node, milliseconds: processes may have been started with different settings. */
  readonly leaseMs: number;
}

/** Counts the parties that had confirmed an order when it was answered. */
export interface Confirmed {
  /** Nodes that have applied the order. */
  readonly nodes: number;
  /** Guards that those nodes vouch for. */
  readonly guards: number;
  /** Nodes whose row disappeared during the wait: their lease was waited out, or they left. */
  readonly expired: number;
}

/** One wait, as a value without a clock or a database. The process and the model of the protocol drive it. */
export interface Wait {
  readonly seq: Seq;
  /** The tenant whose guards the record concerns; undefined: the guards of every tenant. */
  readonly tenant: string | undefined;
  /** Rows that the first read showed below `seq` and that are not settled yet; undefined before the first read. */
  needed: Set<string> | undefined;
  nodes: number;
  guards: number;
  expired: number;
}

export const newWait = (seq: Seq, tenant?: string): Wait => ({
  seq,
  tenant,
  needed: undefined,
  nodes: 0,
  guards: 0,
  expired: 0,
});

export const isOver = ({ needed }: Wait): boolean => needed !== undefined && needed.size === 0;

/**
 * Applies a read of the rows to a wait. The first read must begin after the reply to the record's commit: a node that has no row in
 * it reads the record before its first lease. So only rows of the first read are needed. A later read settles a needed row if the
 * row has confirmed or is missing.
 */
export function judge(wait: Wait, rows: ReadonlyMap<string, NodeRow>): void {
  if (wait.needed === undefined) {
    wait.needed = new Set([...rows.values()].filter((row) => !hasConfirmed(row, wait)).map(({ id }) => id));
    for (const row of rows.values()) if (hasConfirmed(row, wait)) count(wait, row);
    return;
  }
  for (const id of wait.needed) {
    const row = rows.get(id);
    if (row && !hasConfirmed(row, wait)) continue;
    wait.needed.delete(id);
    if (row) count(wait, row);
    else wait.expired += 1;
  }
}

/** The seqs that one row has confirmed, known from a read or from an acknowledgement. They never fall, and ids are never used again. */
export type Acknowledgement = Pick<NodeRow, 'id' | 'confirmed' | 'byTenant' | 'guards'>;

/** Returns the seq that the row's node confirmed for itself and its guards of the tenant; without a tenant, for all its guards. */
export function rowConfirmed(
  { confirmed, byTenant }: Pick<NodeRow, 'confirmed' | 'byTenant'>,
  tenant: string | undefined,
): Seq {
  if (tenant === undefined) return confirmed;
  const ofTenant = confirmedFor(byTenant, tenant);
  return ofTenant > confirmed ? ofTenant : confirmed;
}

const hasConfirmed = (row: Acknowledgement, { seq, tenant }: Wait): boolean => rowConfirmed(row, tenant) >= seq;

/** Applies an acknowledgement to a wait. Before the first read it does nothing, because the first read decides which rows are needed. */
export function hear(wait: Wait, said: Acknowledgement): void {
  if (hasConfirmed(said, wait) && wait.needed?.delete(said.id)) count(wait, said);
}

function count(wait: Wait, row: Pick<NodeRow, 'guards'>): void {
  wait.nodes += 1;
  wait.guards += row.guards;
}

/** A row's counter, and the monotonic clock after the reply that first showed this counter. */
export interface SeenCounter {
  readonly counter: bigint;
  readonly since: number;
  readonly leaseMs: number;
}

/** Remembers the counters of a read whose reply was heard before `now`; returns the rows whose counter has not moved for L. */
export function observe(seen: Map<string, SeenCounter>, rows: ReadonlyMap<string, NodeRow>, now: number): NodeRow[] {
  for (const id of seen.keys()) if (!rows.has(id)) seen.delete(id);
  const stale: NodeRow[] = [];
  for (const row of rows.values()) {
    const before = seen.get(row.id);
    if (before?.counter !== row.counter) seen.set(row.id, { counter: row.counter, since: now, leaseMs: row.leaseMs });
    else if (now - before.since >= row.leaseMs) stale.push(row);
  }
  return stale;
}
