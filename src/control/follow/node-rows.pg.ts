import type { ClientBase } from 'pg';
import { queryDurably } from '../log/durable.pg.js';
import { confirmedFor, type Confirmation } from '../../lease/index.js';
import type { Seq } from '../log/records.js';
import type { Acknowledgement, NodeRow } from '../../lease/index.js';

export interface Renewal {
  /** False if the row is gone. The right to answer is then gone too. */
  readonly found: boolean;
  /** The database's wall clock within the statement, epoch milliseconds; undefined if the row is gone. */
  readonly databaseTime: number | undefined;
}

/** The statements of the lease protocol. Each commits by itself, READ COMMITTED, on the primary. */
export interface NodeRows {
  /** Inserts the row, durably. The id must be fresh: if it had been used before, a waiter's deletion of the old row could hit this one. */
  join(id: string, name: string, leaseMs: number): Promise<void>;
  /** Raises the row's counter, durably, and writes the confirmed seqs. */
  renew(id: string, confirmed: Confirmation, guards: number): Promise<Renewal>;
  /**
   * Writes the confirmed seqs and notifies the waiters; returns false if the row is gone. It need not be durable: an
   * acknowledgement states what the node has in memory, and that stays true after a crash of the database.
   */
  acknowledge(id: string, confirmed: Confirmation, guards: number): Promise<boolean>;
  /** Deletes the row, durably, and wakes the waiters. */
  leave(id: string): Promise<void>;
  read(): Promise<readonly NodeRow[]>;
  /** Deletes a row, durably, if its counter is still `counter`. Returns false if it is not, or if the row is gone; read again then. */
  reap(id: string, counter: bigint): Promise<boolean>;
}

const JOIN = 'INSERT INTO node (id, name, lease_ms) VALUES ($1, $2, $3)';
const RENEW = `
  UPDATE node SET counter = counter + 1, confirmed = greatest(confirmed, $2), guards = $3, applied = $4, behind = $5 WHERE id = $1
  RETURNING extract(epoch FROM clock_timestamp()) * 1000 AS database_time`;
/** The longest `behind` that a notification carries: PostgreSQL allows 8,000 bytes. An empty notification makes the waiters read the rows. */
const MAX_BEHIND_TEXT = 7_000;
const ACKNOWLEDGE = `
  WITH said AS (
    UPDATE node SET confirmed = greatest(confirmed, $2), guards = $3, applied = $4, behind = $5 WHERE id = $1 RETURNING id, confirmed, guards, applied, behind::text
  )
  SELECT set_config('synchronous_commit', 'off', true),
         pg_notify('rescind_confirmed', CASE WHEN length(behind) > ${MAX_BEHIND_TEXT} THEN '' ELSE concat_ws(' ', id, confirmed, guards, applied, behind) END)
  FROM said`;
const LEAVE = `
  WITH gone AS (DELETE FROM node WHERE id = $1 RETURNING 1)
  SELECT pg_notify('rescind_confirmed', '') FROM gone`;
const READ = 'SELECT id, counter, confirmed, guards, applied, behind, lease_ms FROM node';
const REAP = 'DELETE FROM node WHERE id = $1 AND counter = $2';

/** Parses the notification of an acknowledgement; undefined for any other notification. */
export function readAcknowledgement(payload: string): Acknowledgement | undefined {
  const [, id, confirmed, guards, applied = '0', behind = '{}'] =
    /^(\S+) (\d+) (\d+)(?: (\d+) (\{.*\}))?$/.exec(payload) ?? [];
  if (id === undefined) return undefined;
  return {
    id,
    confirmed: BigInt(confirmed!) as Seq,
    guards: Number(guards),
    byTenant: readByTenant(applied, JSON.parse(behind) as Record<string, string>),
  };
}

const readByTenant = (applied: string, behind: Readonly<Record<string, string>>): Confirmation => ({
  applied: BigInt(applied) as Seq,
  behind: new Map(Object.entries(behind).map(([tenant, seq]) => [tenant, BigInt(seq) as Seq])),
});

const writeConfirmed = (confirmed: Confirmation): readonly [least: string, applied: string, behind: string] => [
  String(confirmedFor(confirmed)),
  String(confirmed.applied),
  JSON.stringify(Object.fromEntries([...confirmed.behind].map(([tenant, seq]) => [tenant, String(seq)]))),
];

/** Binds the statements to a session. A node's own statements need a session of their own, so that nothing else can hold up a renewal. */
export function createNodeRows(session: ClientBase): NodeRows {
  return {
    join: async (id, name, leaseMs) => void (await queryDurably(session, JOIN, [id, name, leaseMs])),
    async renew(id, confirmed, guards) {
      const [least, ...byTenant] = writeConfirmed(confirmed);
      const { rows } = await queryDurably<{ database_time: string }>(session, RENEW, [id, least, guards, ...byTenant]);
      return { found: rows.length === 1, databaseTime: rows[0] && Number(rows[0].database_time) };
    },
    async acknowledge(id, confirmed, guards) {
      const [least, ...byTenant] = writeConfirmed(confirmed);
      return (await session.query(ACKNOWLEDGE, [id, least, guards, ...byTenant])).rowCount === 1;
    },
    leave: async (id) => void (await queryDurably(session, LEAVE, [id])),
    async read() {
      const { rows } = await session.query<{
        id: string;
        counter: string;
        confirmed: string;
        guards: number;
        applied: string;
        behind: Record<string, string>;
        lease_ms: number;
      }>(READ);
      return rows.map((row) => ({
        id: row.id,
        counter: BigInt(row.counter),
        confirmed: BigInt(row.confirmed) as Seq,
        byTenant: readByTenant(row.applied, row.behind),
        guards: row.guards,
        leaseMs: row.lease_ms,
      }));
    },
    reap: async (id, counter) => (await queryDurably(session, REAP, [id, String(counter)])).rowCount === 1,
  };
}
