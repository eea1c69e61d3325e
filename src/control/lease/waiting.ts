import { confirmedFor, type Confirmation } from './lease.js';
import type { Seq } from '../log/records.js';

/** A process that answers from memory, as the database shows it. */
export interface NodeRow {
  readonly id: string;
  /** Raised by each renewal; one that has not moved for L belongs to a process that no longer answers. */
  readonly counter: bigint;
  /** The least of what the node and its guards have applied. */
  readonly confirmed: Seq;
  /** The same a tenant; a node of an earlier release says nothing of it, and then `confirmed` alone counts. */
  readonly byTenant: Confirmation;
  /** Guards whose grants the confirmation covers. */
  readonly guards: number;
  /** L as this node understands it: processes may have been started with different settings. */
  readonly leaseMs: number;
}

/** What was confirmed when an order was answered. */
export interface Confirmed {
  /** Nodes that have applied it. */
  readonly nodes: number;
  /** Guards that those nodes vouch for. */
  readonly guards: number;
  /** Nodes whose row went while it was waited for: they had vanished and their lease was waited out, or they left. */
  readonly expired: number;
}

/** One wait, as a value without a clock or a database; the process and the model of the protocol drive it. */
export interface Wait {
  readonly seq: Seq;
  /** Whose guards the record concerns; undefined: everybody's. */
  readonly tenant: string | undefined;
  /** Rows that the first read showed below `seq` and no later one has settled; undefined before the first. */
  needed: Set<string> | undefined;
  nodes: number;
  guards: number;
  expired: number;
}

export const newWait = (seq: Seq, tenant?: string): Wait => ({ seq, tenant, needed: undefined, nodes: 0, guards: 0, expired: 0 });

export const isOver = ({ needed }: Wait): boolean => needed !== undefined && needed.size === 0;

/**
 * What a read says to a wait. The first must begin after the record's commit was heard: a node without a row in it reads the
 * record before its first lease. So only rows of the first are needed, and a later one settles each by confirming or by
 * not having it.
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

/** What one row is known to have confirmed, from a read or from the acknowledgement itself. It never falls, and ids are fresh. */
export type Acknowledgement = Pick<NodeRow, 'id' | 'confirmed' | 'byTenant' | 'guards'>;

/** Up to where the row's node, with its guards of the tenant, has said that it has applied the log. Without a tenant: with all its guards. */
export function rowConfirmed({ confirmed, byTenant }: Pick<NodeRow, 'confirmed' | 'byTenant'>, tenant: string | undefined): Seq {
  if (tenant === undefined) return confirmed;
  const ofTenant = confirmedFor(byTenant, tenant);
  return ofTenant > confirmed ? ofTenant : confirmed;
}

const hasConfirmed = (row: Acknowledgement, { seq, tenant }: Wait): boolean => rowConfirmed(row, tenant) >= seq;

/** What an acknowledgement says to a wait. Before the first read it says nothing: that one decides who is needed. */
export function hear(wait: Wait, said: Acknowledgement): void {
  if (hasConfirmed(said, wait) && wait.needed?.delete(said.id)) count(wait, said);
}

function count(wait: Wait, row: Pick<NodeRow, 'guards'>): void {
  wait.nodes += 1;
  wait.guards += row.guards;
}

/** A row's counter, and the monotonic clock after the reply that first showed it. */
export interface SeenCounter {
  readonly counter: bigint;
  readonly since: number;
  readonly leaseMs: number;
}

/** Remembers what a read showed whose reply was heard before `now`; returns the rows whose counter has stood still for L. */
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
