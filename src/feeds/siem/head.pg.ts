import type { Pool } from '../../platform/postgres/index.js';

/** Reads the index behind the last entry of a tenant's ledger. */
export async function readHead(pool: Pool, tenant: string): Promise<bigint> {
  const { rows } = await pool.query<{ next_ix: string }>('SELECT next_ix FROM ledger_head WHERE tenant = $1', [tenant]);
  return BigInt(rows[0]?.next_ix ?? 0);
}
