import type { Pool } from 'pg';
import type { ControlState } from '../../control/index.js';
import { type Log } from '../../platform/log/index.js';
import { inTransaction } from '../../platform/postgres/index.js';
import { isOpen, type Item } from './submission.js';
import { writeBatch, type Batch, type Written } from './write-batch.pg.js';

export interface BatchWriter {
  /** Writes a batch in one transaction. Throws the database's error, and `OffsetLost`. */
  write(batch: Batch, seenSeq: bigint): Promise<Written>;
  /**
   * Writes a batch that holds events which the database may refuse. Halving finds those events, they are refused, and the rest is
   * written.
   */
  writeBisecting(batch: Batch, seenSeq: bigint): Promise<Written>;
}

const sqlState = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
};

/** Whether the event itself is at fault: data, integrity and limit errors (SQLSTATE classes 22, 23, 54). */
export const isRefusal = (error: unknown): boolean => /^(22|23|54)[0-9A-Z]{3}$/.test(sqlState(error));

/** Whether the transaction failed for reasons outside the batch: serialization, deadlock, lost connection, shutdown. */
export const isTransient = (error: unknown): boolean => /^(40|08|57P|ECONN|EPIPE)/.test(sqlState(error));

export interface BatchWriterOptions {
  readonly pool: Pool;
  readonly state: ControlState;
  readonly log: Log;
  /** Whether batches take along the ledger entries that control records are owed. */
  readonly withOutbox: boolean;
}

export function createBatchWriter({ pool, state, log, withOutbox }: BatchWriterOptions): BatchWriter {
  const write = (batch: Batch, seenSeq: bigint): Promise<Written> =>
    inTransaction(pool, (client) => writeBatch(client, batch, state, seenSeq, { withOutbox }));

  async function writeBisecting(batch: Batch, seenSeq: bigint): Promise<Written> {
    try {
      return await write(batch, seenSeq);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const culprits = await findCulprits(batch.items.filter(isOpen), seenSeq);
      if (culprits.length === 0) throw error;
      log.error({ err: error, events: culprits.length }, 'the database refused events; they go to quarantine');
      for (const item of culprits) item.refusal = { code: 'refused-by-database', detail: 'the database refused it' };
      // Events that can be written alone may be refused together, so each round takes at least one event out.
      return writeBisecting(batch, seenSeq);
    }
  }

  async function findCulprits(items: readonly Item[], seenSeq: bigint): Promise<readonly Item[]> {
    if (items.length === 0 || (await canBeWritten(items, seenSeq))) return [];
    if (items.length === 1) return items;
    const middle = items.length >> 1;
    const first = await findCulprits(items.slice(0, middle), seenSeq);
    const second = await findCulprits(items.slice(middle), seenSeq);
    const alone = [...first, ...second];
    return alone.length > 0 ? alone : [await findLastStraw(items, seenSeq)];
  }

  /** Finds the first event that is refused after those before it, for a list whose halves can be written but not both together. */
  async function findLastStraw(items: readonly Item[], seenSeq: bigint): Promise<Item> {
    let fits = items.length >> 1;
    let breaks = items.length;
    while (breaks - fits > 1) {
      const middle = (fits + breaks) >> 1;
      if (await canBeWritten(items.slice(0, middle), seenSeq)) fits = middle;
      else breaks = middle;
    }
    return items[breaks - 1]!;
  }

  async function canBeWritten(items: readonly Item[], seenSeq: bigint): Promise<boolean> {
    const rehearsal = new Error('rehearsal');
    try {
      await inTransaction(pool, async (client) => {
        await writeBatch(client, { moves: [], own: [], items }, state, seenSeq, { withOutbox: false });
        throw rehearsal;
      });
    } catch (error) {
      if (error === rehearsal) return true;
      if (isRefusal(error)) return false;
      throw error;
    }
    return true;
  }

  return { write, writeBisecting };
}
