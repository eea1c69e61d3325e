import { RescindError } from '../../contracts/index.js';
import { inTransaction, loadSql, type Pool } from '../../platform/postgres/index.js';
import type { RecordRow, Session } from './control-log.pg.js';
import type { ControlRecord, Seq } from './records.js';

/** The key that makes a command apply once. Without it, a restored log would apply an event a second time. */
export interface CommandCopy {
  /** SHA-256 of the command's key and of its content, hexadecimal. */
  readonly key: string;
  readonly hash: string;
  readonly last_seq: string;
  /** How long the key is kept, epoch milliseconds; null: for ever. */
  readonly kept_until: number | null;
}

/** A record and the commands that began with it. The copies of all records suffice to restore the log. */
export interface RecordCopy {
  readonly record: ControlRecord;
  readonly commands: readonly CommandCopy[];
}

/** Reads copies of the log and restores them. */
export interface LogCopies {
  head(): Promise<Seq>;
  /** Reads at most `limit` copies after `seq`, in order. A reader cannot overtake a writer: see README. */
  readAfter(seq: Seq, limit: number): Promise<readonly RecordCopy[]>;
  /** Finds the seq before the tenant's first record; undefined if the tenant has none. */
  beforeTenant(tenant: string): Promise<Seq | undefined>;
  /**
   * Appends copies, dense, behind the head, which must be `held`. On return they are durable and followers are notified. Throws
   * `edit-conflict` if the head is another: then somebody else writes to this log.
   */
  restore(held: Seq, copies: readonly RecordCopy[]): Promise<void>;
}

const READ = loadSql(import.meta.url, 'read-copies.sql');
const RESTORE = loadSql(import.meta.url, 'restore-copies.sql');

export function createLogCopies({ pool }: { pool: Pool }): LogCopies {
  return {
    head: () => readHead(pool, ''),
    async readAfter(seq, limit) {
      const { rows } = await pool.query<CopyRow>(READ, [seq, limit]);
      return rows.map(({ commands, ...row }) => ({
        record: { ...row, seq: BigInt(row.seq) as Seq, at: row.at.getTime() } as ControlRecord,
        commands: commands ?? [],
      }));
    },
    async beforeTenant(tenant) {
      const { rows } = await pool.query<{ seq: string | null }>(
        'SELECT min(seq) - 1 AS seq FROM control_log WHERE tenant = $1',
        [tenant],
      );
      const seq = rows[0]?.seq ?? null;
      return seq === null ? undefined : (BigInt(seq) as Seq);
    },
    async restore(held, copies) {
      await inTransaction(pool, async (client) => {
        await client.query('SET LOCAL synchronous_commit = on');
        if ((await readHead(client, 'FOR UPDATE')) !== held)
          throw new RescindError('edit-conflict', {
            detail: 'somebody else writes to this control log: stop every process of the deployment',
          });
        const last = held + BigInt(copies.length);
        const rows = copies.map(({ record, commands }) => ({ ...record, seq: String(record.seq), commands }));
        await client.query(RESTORE, [JSON.stringify(rows)]);
        await client.query('UPDATE control_head SET seq = $1', [last]);
        await client.query(`SELECT pg_notify('rescind_control', $1)`, [String(last)]);
      });
    },
  };
}

async function readHead(session: Session, lock: '' | 'FOR UPDATE'): Promise<Seq> {
  const { rows } = await session.query<{ seq: string }>(`SELECT seq FROM control_head ${lock}`);
  return BigInt(rows[0]!.seq) as Seq;
}

interface CopyRow extends RecordRow {
  commands: CommandCopy[] | null;
}
