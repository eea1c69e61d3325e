import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from '../../platform/postgres/index.js';

const POLL_MS = 2;

/** Counts the entries of a tenant's ledger. */
export async function countEntries(pool: Pool, tenant: string): Promise<number> {
  const { rows } = await pool.query<{ n: string }>('SELECT next_ix AS n FROM ledger_head WHERE tenant = $1', [tenant]);
  return Number(rows[0]?.n ?? 0);
}

/** Waits until every control record has its ledger entry, so that what follows comes after it in every run. */
export async function outboxEmpty(pool: Pool): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ empty: boolean }>(
      'SELECT o.seq >= h.seq AS empty FROM control_outbox o, control_head h',
    );
    if (rows[0]?.empty === true) return;
    await delay(POLL_MS);
  }
}
