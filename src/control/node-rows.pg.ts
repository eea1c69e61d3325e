import type { Pool } from 'pg';
import type { Session } from './control-log.pg.js';
import type { Seq } from './records.js';

/** A process that answers from memory, as the database shows it. */
export interface NodeRow {
  readonly id: string;
  /** Raised by each renewal; one that has not moved for L belongs to a process that no longer answers. */
  readonly counter: bigint;
  /** The least of what the node and its guards have applied. */
  readonly confirmed: Seq;
  /** Guards whose grants the confirmation covers. */
  readonly guards: number;
}

/** The statements of the lease protocol, each its own autocommit on the primary. */
export interface NodeRows {
  /** Durable. The id must be fresh: a row id that was used before would meet another waiter's delete. */
  join(id: string, name: string): Promise<void>;
  /** Durable. False: the row is gone, and with it the right to answer. */
  renew(id: string, confirmed: Seq, guards: number): Promise<boolean>;
  /** Need not be durable: what a waiter has seen is a fact about memory. Wakes the waiters. */
  acknowledge(id: string, confirmed: Seq, guards: number): Promise<void>;
  /** Durable. */
  leave(id: string): Promise<void>;
  read(): Promise<readonly NodeRow[]>;
  /** Durable. False: the row has moved or gone; read again. */
  reap(id: string, counter: bigint): Promise<boolean>;
}

const RENEW = 'UPDATE node SET counter = counter + 1, confirmed = greatest(confirmed, $2), guards = $3 WHERE id = $1';
const ACKNOWLEDGE = `
  WITH said AS (UPDATE node SET confirmed = greatest(confirmed, $2), guards = $3 WHERE id = $1 RETURNING 1)
  SELECT set_config('synchronous_commit', 'off', true), pg_notify('rescind_confirmed', '') FROM said`;

/** `session` for the node's own row, so that a stuck pool cannot hold up a renewal; any connection for the waiters. */
export function createNodeRows({ session }: { session: Session | Pool }): NodeRows {
  return {
    join: async (id, name) => void (await session.query('INSERT INTO node (id, name) VALUES ($1, $2)', [id, name])),
    renew: async (id, confirmed, guards) => (await session.query(RENEW, [id, String(confirmed), guards])).rowCount === 1,
    acknowledge: async (id, confirmed, guards) => void (await session.query(ACKNOWLEDGE, [id, String(confirmed), guards])),
    leave: async (id) => void (await session.query(`WITH gone AS (DELETE FROM node WHERE id = $1 RETURNING 1) SELECT pg_notify('rescind_confirmed', '') FROM gone`, [id])),
    async read() {
      const { rows } = await session.query<{ id: string; counter: string; confirmed: string; guards: number }>(
        'SELECT id, counter, confirmed, guards FROM node',
      );
      return rows.map((row) => ({ id: row.id, counter: BigInt(row.counter), confirmed: BigInt(row.confirmed) as Seq, guards: row.guards }));
    },
    reap: async (id, counter) => (await session.query('DELETE FROM node WHERE id = $1 AND counter = $2', [id, String(counter)])).rowCount === 1,
  };
}
