import { inTransaction, loadSql, type Pool } from '../../platform/postgres/index.js';

const HEAD = loadSql(import.meta.url, 'head.sql');
const CHECKPOINTS = `
SELECT incarnation, size, note, witnessed_size, witnessed_note FROM ledger_checkpoint WHERE tenant = $1 ORDER BY incarnation`;
// Kinds of tokens are counted beside the events, and no entry is one.
const COUNTS = `
SELECT source, what, sum(n) AS n FROM source_count
 WHERE tenant = $1 AND source <> $1 AND what NOT IN ('token', 'token.stated', 'token.arrived', 'token.parent') GROUP BY source, what`;

/** Tables of ledgers. */
const TABLES = [
  'ledger_head',
  'entry',
  'payload',
  'entry_remainder',
  'dedupe',
  'tree_head',
  'tree_tile',
  'ledger_checkpoint',
  'ledger_key',
];

export interface HeadRow {
  /** Null without a head of the ledger. */
  readonly next_ix: string | null;
  readonly last_arrival: string | null;
  readonly next_entity: number | null;
  /** Null without a tree. */
  readonly incarnation: number | null;
  readonly size: string | null;
  readonly root: Buffer | null;
  readonly outbox: string;
  readonly control: string;
  readonly entry_beyond: string | null;
  readonly payload_beyond: string | null;
  readonly remainder_beyond: string | null;
  readonly remainder_of_none: string | null;
  readonly tile_beyond: string | null;
  readonly last_entity: number | null;
  readonly keys: string;
  readonly keyed: string;
  readonly rules: string;
}

export interface CheckpointRow {
  readonly incarnation: number;
  readonly size: string;
  readonly note: string;
  readonly witnessed_size: string | null;
  readonly witnessed_note: string | null;
}

/** A ledger at one moment: what moves, and sums that its entries up to there must give. */
export interface LedgerMoment {
  readonly head: HeadRow;
  readonly checkpoints: readonly CheckpointRow[];
  readonly keys: readonly Buffer[];
  readonly counts: readonly { readonly source: string; readonly what: string; readonly n: string }[];
}

/** Reads all of it in one snapshot, so that a running service is never found wrong for going on. */
export const readMoment = (pool: Pool, tenant: string): Promise<LedgerMoment> =>
  inTransaction(pool, async (session) => {
    await session.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const head = (await session.query<HeadRow>(HEAD, [tenant])).rows[0]!;
    const checkpoints = (await session.query<CheckpointRow>(CHECKPOINTS, [tenant])).rows;
    const keys = await session.query<{ public_key: Buffer }>('SELECT public_key FROM ledger_key WHERE tenant = $1', [
      tenant,
    ]);
    const counts = (await session.query<LedgerMoment['counts'][number]>(COUNTS, [tenant])).rows;
    return { head, checkpoints, keys: keys.rows.map(({ public_key }) => public_key), counts };
  });

/** Lists the tenants of every table of ledgers, one after the other, also those that have no head. */
export async function tenantsOf(pool: Pool): Promise<readonly string[]> {
  const tenants = new Set<string>();
  for (const table of TABLES)
    for (let last = '00000000-0000-0000-0000-000000000000', more = true; more; ) {
      const { rows } = await pool.query<{ tenant: string }>(
        `SELECT tenant FROM ${table} WHERE tenant > $1 ORDER BY tenant LIMIT 1`,
        [last],
      );
      more = rows.length > 0;
      if (more) tenants.add((last = rows[0]!.tenant));
    }
  return [...tenants].sort();
}
