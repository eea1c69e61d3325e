import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Client } from 'pg';
import type { Confirmation, Lease, Moment } from '../../lease/index.js';
import type { Log } from '../../platform/log/index.js';
import { createNodeRows } from './node-rows.pg.js';

/** A renewal that took longer says too little about the database's clock to measure by it. */
const CLOCK_ROUND_TRIP_LIMIT_MS = 1_000;

export interface MembershipOptions {
  readonly lease: Lease;
  readonly clock: () => Moment;
  readonly leaseMs: number;
  readonly cycleMs: number;
  readonly log: Log;
}

/** Keeps a node's row in the database, by statements on the session that also reads the log. */
export interface Membership {
  /** Inserts a row under a fresh id. An earlier row of this node is never used again. */
  join(session: Client): Promise<void>;
  /** Writes the confirmed seqs, if they differ from those written last. */
  acknowledge(session: Client): Promise<void>;
  /** Sends a renewal if one is due and the log has been read to its end since the join. */
  renewWhenDue(session: Client): Promise<void>;
  /** Deletes the row. */
  leave(session: Client): Promise<void>;
  /** Says whether the row exists and differs from "everything applied, no guard behind". */
  isUnsaid(): boolean;
  /** Milliseconds until the next renewal is due. */
  dueInMs(): number;
  /** The least possible difference between this host's wall clock and the database's; undefined until measured. */
  readonly clockDifferenceMs: number | undefined;
}

const NOBODY: Confirmation['behind'] = new Map();

function isSame(one: Confirmation | undefined, other: Confirmation): boolean {
  if (one?.applied !== other.applied || one.behind.size !== other.behind.size) return false;
  return [...other.behind].every(([tenant, seq]) => one.behind.get(tenant) === seq);
}

export function createMembership({ lease, clock, leaseMs, cycleMs, log }: MembershipOptions): Membership {
  const name = `${hostname()}:${process.pid}`;
  let said: Confirmation | undefined;
  let dueAt = -Infinity;
  let clockDifferenceMs: number | undefined;

  async function renew(session: Client, id: string): Promise<void> {
    const guards = lease.guards(clock());
    const confirmed = lease.confirm(clock());
    const wallBefore = Date.now();
    const sent = clock();
    const { found, databaseTime } = await createNodeRows(session).renew(id, confirmed, guards);
    lease.renewed(sent, id, found);
    if (!found) log.warn({ node: id }, 'the row of this node is gone: others took this node for dead; joining again');
    dueAt = found ? sent.monotonic + cycleMs : -Infinity;
    if (databaseTime !== undefined && clock().monotonic - sent.monotonic <= CLOCK_ROUND_TRIP_LIMIT_MS) {
      clockDifferenceMs = Math.max(0, wallBefore - databaseTime, databaseTime - Date.now());
    }
  }

  return {
    async join(session) {
      const id = randomUUID();
      await createNodeRows(session).join(id, name, leaseMs);
      lease.joined(id);
      said = undefined;
      dueAt = -Infinity;
      log.info({ node: id }, 'this node has joined');
    },
    async acknowledge(session) {
      const id = lease.row;
      if (id === undefined || isSame(said, lease.confirmable(clock()))) return;
      const guards = lease.guards(clock());
      const confirmed = lease.confirm(clock());
      if (await createNodeRows(session).acknowledge(id, confirmed, guards)) said = confirmed;
      // The row is gone. Only a renewal may tell the lease so; send one at once.
      else dueAt = -Infinity;
    },
    async renewWhenDue(session) {
      if (lease.row !== undefined && lease.isCaughtUp && clock().monotonic >= dueAt) await renew(session, lease.row);
    },
    async leave(session) {
      if (lease.row !== undefined) await createNodeRows(session).leave(lease.row);
    },
    isUnsaid: () => lease.row !== undefined && !isSame(said, { applied: lease.held, behind: NOBODY }),
    dueInMs: () => Math.max(0, dueAt - clock().monotonic),
    get clockDifferenceMs() {
      return clockDifferenceMs;
    },
  };
}
