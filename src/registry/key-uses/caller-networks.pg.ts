import type { KeyUsed, Person } from '../../contracts/index.js';
import { inTransaction, type Pool } from '../../platform/postgres/index.js';

/** One after the other in a tenant, so that one use is the first in a network, and the limit of a day holds. */
const LOCK_TENANT = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 7432))';
const READ = `SELECT
  EXISTS (SELECT FROM caller_network WHERE tenant = $1 AND caller = $2 AND network = $3) AS known,
  NOT EXISTS (SELECT FROM caller_network WHERE tenant = $1 AND caller = $2) AS first,
  EXISTS (SELECT FROM caller_network WHERE tenant = $1 AND network = $3 AND caller <> $2) AS shared,
  (SELECT count(*)::int FROM caller_network WHERE tenant = $1 AND caller = $2 AND at_ms >= $4) AS today`;
const INSERT =
  'INSERT INTO caller_network (tenant, caller, network, at_ms, used_ms, said) VALUES ($1, $2, $3, $4, $4, $5)';
const USED_AGAIN =
  'UPDATE caller_network SET used_ms = greatest(used_ms, $4) WHERE tenant = $1 AND caller = $2 AND network = $3';
/** A row whose entry is not written yet is kept until it is. */
const FORGET = 'DELETE FROM caller_network WHERE tenant = $1 AND used_ms < $2 AND entry IS NOT NULL';
const OWED = `SELECT caller, network, at_ms, said FROM caller_network
  WHERE tenant = $1 AND entry IS NULL ORDER BY at_ms, caller, network LIMIT $2`;
const TOLD = 'UPDATE caller_network SET entry = $4 WHERE tenant = $1 AND caller = $2 AND network = $3';

/** Rows that one look for owed entries takes. */
const OWED_AT_ONCE = 100;
const DAY_MS = 86_400_000;
/** A network in which a caller was not for so long counts as new. */
export const NETWORK_KEPT_MS = 90 * DAY_MS;

/** A use of the management API, from a network. */
export interface KeyUse {
  readonly tenant: string;
  readonly caller: string;
  /** Id of the secret; a person who has signed in presents none. */
  readonly key?: string;
  readonly person?: Person;
  readonly network: string;
  readonly atMs: number;
}

/** A row whose ledger entry is not written yet. */
export interface OwedUse {
  readonly tenant: string;
  readonly caller: string;
  readonly network: string;
  readonly atMs: number;
  readonly said: KeyUsed;
}

/** `full`: the caller was in so many new networks on this day (UTC) that no more are recorded. */
export type Recorded = 'recorded' | 'known' | 'full';

export interface CallerNetworks {
  /** Records the first use of a caller in a network, or that it was used again, and forgets networks that were not used for long. */
  record(use: KeyUse): Promise<Recorded>;
  /** Lists the oldest rows of a tenant that still lack their ledger entry. */
  owed(tenant: string): Promise<readonly OwedUse[]>;
  /** Notes the ledger entry of a row. */
  told(row: OwedUse, entry: bigint): Promise<void>;
}

export function createCallerNetworks({
  pool,
  networksADay,
}: {
  readonly pool: Pool;
  readonly networksADay: number;
}): CallerNetworks {
  return {
    record: ({ tenant, caller, key, person, network, atMs }) =>
      inTransaction(pool, async (client) => {
        await client.query(LOCK_TENANT, [tenant]);
        await client.query(FORGET, [tenant, atMs - NETWORK_KEPT_MS]);
        const { rows } = await client.query<{ known: boolean; first: boolean; shared: boolean; today: number }>(READ, [
          tenant,
          caller,
          network,
          atMs - (atMs % DAY_MS),
        ]);
        const { known, first, shared, today } = rows[0]!;
        if (known) {
          await client.query(USED_AGAIN, [tenant, caller, network, atMs]);
          return 'known';
        }
        if (today >= networksADay) return 'full';
        const who = { caller, ...(key === undefined ? {} : { key }), ...(person === undefined ? {} : { person }) };
        const said: KeyUsed = { ...who, network, first, shared };
        await client.query(INSERT, [tenant, caller, network, atMs, JSON.stringify(said)]);
        return 'recorded';
      }),

    async owed(tenant) {
      const { rows } = await pool.query<{ caller: string; network: string; at_ms: string; said: KeyUsed }>(OWED, [
        tenant,
        OWED_AT_ONCE,
      ]);
      return rows.map(({ caller, network, at_ms, said }) => ({ tenant, caller, network, atMs: Number(at_ms), said }));
    },

    async told({ tenant, caller, network }, entry) {
      await pool.query(TOLD, [tenant, caller, network, String(entry)]);
    },
  };
}
