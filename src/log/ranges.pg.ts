import { inTransaction, type Pool } from '../platform/postgres/index.js';

/** Indexes of one range of `entry` and `payload`: about 3 GB of both together. The same for all tenants. */
export const RANGE_ENTRIES = 4_194_304n;

/** Says that no range holds the next index yet. Nothing was written; the batch may be retried once the range exists. */
export class RangeMissing extends Error {
  override readonly name = 'RangeMissing';
  readonly upTo: bigint;
  constructor(upTo: bigint) {
    super(`no range holds the indexes below ${upTo}`);
    this.upTo = upTo;
  }
}

export interface RangeKeeper {
  /** Takes the highest index of a batch. Makes the next range in the background once the last range has begun to fill. */
  noted(index: bigint): void;
  /** Makes ranges until they hold all indexes up to this one and a whole range beyond. */
  ensure(index: bigint): Promise<void>;
  /** Does the same for the highest index in the database; called when a process starts. */
  start(): Promise<void>;
}

export function createRangeKeeper({ pool, onError }: { pool: Pool; onError: (error: unknown) => void }): RangeKeeper {
  let upTo = 0n;
  let making: Promise<void> | undefined;

  async function ensure(index: bigint): Promise<void> {
    while (upTo < index + RANGE_ENTRIES) upTo = await makeNext(pool, index + RANGE_ENTRIES);
  }

  return {
    ensure,
    noted(index) {
      if (upTo >= index + RANGE_ENTRIES || making) return;
      making = ensure(index)
        .catch(onError)
        .finally(() => {
          making = undefined;
        });
    },
    async start() {
      const { rows } = await pool.query<{ next: string }>('SELECT coalesce(max(next_ix), 0) AS next FROM ledger_head');
      await ensure(BigInt(rows[0]!.next));
    },
  };
}

/** Makes one range if the existing ranges end below `wanted`; returns where they end. A row lock admits one process at a time. */
async function makeNext(pool: Pool, wanted: bigint): Promise<bigint> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ up_to: string }>('SELECT up_to FROM ledger_partitions FOR UPDATE');
    const from = BigInt(rows[0]!.up_to);
    if (from >= wanted) return from;
    const to = from + RANGE_ENTRIES;
    for (const table of ['entry', 'payload']) {
      // The range goes into the schema of its table, whatever this session's search_path begins with.
      const { rows: stands } = await client.query<{ schema: string }>(
        'SELECT relnamespace::regnamespace::text AS schema FROM pg_class WHERE oid = $1::regclass',
        [table],
      );
      const range = `${stands[0]!.schema}.${table}_${from / RANGE_ENTRIES}`;
      // Created apart and attached: creating it in place would lock readers and writers out of the whole table.
      await client.query(`CREATE TABLE ${range} (LIKE ${table} INCLUDING ALL)`);
      await client.query(`ALTER TABLE ${table} ATTACH PARTITION ${range} FOR VALUES FROM (${from}) TO (${to})`);
    }
    await client.query('UPDATE ledger_partitions SET up_to = $1', [String(to)]);
    return to;
  });
}
