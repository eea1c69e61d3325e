import { EMPTY_ROOT } from '../../merkle/index.js';
import type { Pool } from '../../platform/postgres/index.js';

type Session = Pick<Pool, 'query'>;

/** The tree of a ledger, as committed. */
export interface StoredTree {
  readonly incarnation: number;
  readonly size: bigint;
  readonly root: Buffer;
}

/** Reads a tenant's tree. A ledger that was never integrated has an empty one. */
export async function readTree(session: Session, tenant: string): Promise<StoredTree> {
  const { rows } = await session.query<{ incarnation: number; size: string; root: Buffer }>(
    'SELECT incarnation, size, root FROM tree_head WHERE tenant = $1',
    [tenant],
  );
  const [row] = rows;
  return row ? { ...row, size: BigInt(row.size) } : { incarnation: 1, size: 0n, root: EMPTY_ROOT };
}

/** Makes the row that integration moves. */
export async function ensureTree(session: Session, tenant: string): Promise<void> {
  await session.query('INSERT INTO tree_head (tenant, root) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    tenant,
    EMPTY_ROOT,
  ]);
}
