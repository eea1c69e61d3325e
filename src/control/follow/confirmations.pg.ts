import type { Pool } from 'pg';
import { type Log } from '../../platform/log/index.js';
import { int4Array, int8Array, textArray, uuidArray } from '../../platform/postgres/index.js';
import type { Settled } from './waits.js';
import type { Seq } from '../log/records.js';

/** Rows that may wait to be written. The limit keeps an unreachable database from filling this process's memory. */
const MAX_KEPT = 50_000;
const EVERY_MS = 250;

const WRITE = `INSERT INTO rule_confirmation (seq, node, name, outcome, guards, at_ms)
  SELECT w.seq, w.node, n.name, w.outcome, w.guards, w.at_ms
  FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::int[], $5::bigint[]) AS w (seq, node, outcome, guards, at_ms)
  LEFT JOIN node n ON n.id = w.node
  WHERE NOT EXISTS (SELECT FROM control_log l WHERE l.seq = w.seq AND l.body -> 'selector' ? 'token')
  ON CONFLICT DO NOTHING`;

/** How long confirmations are kept. */
const KEPT_MS = 90 * 86_400_000;
const TRIM_EVERY_MS = 60_000;
const TRIMMED_AT_ONCE = 10_000;
/** Deletes old rows among the first ones. Rows are ordered by the seq of their record, so the first are the oldest. */
const TRIM = `DELETE FROM rule_confirmation c USING (SELECT seq, node, at_ms FROM rule_confirmation ORDER BY seq, node LIMIT $2) o
  WHERE c.seq = o.seq AND c.node = o.node AND o.at_ms < $1::bigint`;

export interface ConfirmationKeeper {
  /** Queues the rows and returns at once: they are only for reports, so no order waits for them. */
  keep(seq: Seq, settled: readonly Settled[]): void;
  /** Writes the rows that still wait. */
  stop(): Promise<void>;
}

/**
 * Stores which node confirmed which record, for {@link KEPT_MS}. Rules on a single token are left out, because there may be thousands of
 * them a second. Best effort: rows are lost if the process is killed before it writes them, or if the database is away for so long that
 * the queue is full.
 */
export function createConfirmationKeeper({
  pool,
  log,
  now = Date.now,
}: {
  readonly pool: Pool;
  readonly log: Log;
  readonly now?: () => number;
}): ConfirmationKeeper {
  let trimmedAt = -Infinity;
  let waiting: (Settled & { readonly seq: Seq })[] = [];
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function write(): Promise<void> {
    const rows = waiting;
    waiting = [];
    if (rows.length === 0) return;
    try {
      await pool.query(WRITE, [
        int8Array(rows.map(({ seq }) => seq)),
        uuidArray(rows.map(({ node }) => node)),
        textArray(rows.map(({ outcome }) => outcome)),
        int4Array(rows.map(({ guards }) => guards)),
        int8Array(rows.map(({ atMs }) => atMs)),
      ]);
      await trim();
    } catch (error) {
      log.warn({ err: error, rows: rows.length }, 'cannot store which nodes confirmed rules; retrying');
      waiting = [...rows, ...waiting].slice(0, MAX_KEPT);
    }
  }

  async function trim(): Promise<void> {
    if (now() < trimmedAt + TRIM_EVERY_MS) return;
    trimmedAt = now();
    await pool
      .query(TRIM, [trimmedAt - KEPT_MS, TRIMMED_AT_ONCE])
      .catch((error: unknown) => log.warn({ err: error }, 'cannot delete old confirmations; retrying in a minute'));
  }

  function soon(): void {
    timer ??= setTimeout(() => {
      writing = write().finally(() => {
        timer = undefined;
        if (waiting.length > 0) soon();
      });
    }, EVERY_MS).unref();
  }

  return {
    keep(seq, settled) {
      if (waiting.length + settled.length > MAX_KEPT) return;
      for (const one of settled) waiting.push({ seq, ...one });
      soon();
    },
    async stop() {
      clearTimeout(timer);
      await writing;
      clearTimeout(timer);
      await write();
    },
  };
}
