import type { Pool, PoolClient } from 'pg';
import { RescindError } from '../../contracts/index.js';
import { inTransaction, loadSql } from '../../platform/postgres/index.js';
import { entityColumns, type EntityRef, type FindIds, type FoundId } from '../entities.pg.js';

const FIND_IDS = loadSql(import.meta.url, 'find-ids.sql');

const GIVE_ID = `INSERT INTO entity (tenant, id, kind, key, parts, from_ix) SELECT tenant, $6, kind, key, parts, ix
  FROM unnest($1::uuid[], $2::smallint[], $3::bytea[], $4::jsonb[], $5::bigint[]) AS w (tenant, kind, key, parts, ix)`;

/** Lock timeout for the head, milliseconds. While this rebuild holds ingest, its own hold blocks the lock; the hold then fails and is tried again. */
const HEAD_LOCK_MS = 300;

export interface KeptIdsOptions {
  readonly pool: Pool;
  /** Quoted schema of the live tables. */
  readonly live: string;
  /** Whether a name without an id gets a new id: only if all tables with ids are rebuilt. */
  readonly mayGive: boolean;
}

/**
 * Finds ids for a rebuild. Ids are not in the ledger, so a name keeps its id of the live directory. A name that an entry states but
 * the directory lacks gets the tenant's next id.
 */
export function keepIds({ pool, live, mayGive }: KeptIdsOptions): FindIds {
  const find = FIND_IDS.replaceAll('live.', `${live}.`);
  return async (client, unknown) => {
    const { rows } = await client.query<Omit<FoundId, 'id'> & { id: number | null }>(find, entityColumns(unknown));
    const found: FoundId[] = [];
    for (const { nth, id, known } of rows)
      found.push({ nth, id: id ?? (await give(client, unknown[Number(nth) - 1]!)), known });
    return found;
  };

  async function give(client: PoolClient, ref: EntityRef): Promise<number> {
    const { tenant } = ref.owner;
    if (!mayGive) {
      const detail = `the live directory lacks a ${ref.kind} that entry ${ref.owner.ix} of ${tenant} names: rebuild \`all\``;
      throw new RescindError('rebuild-differs', { detail });
    }
    // Committed at once, on another session: a number that stays unused does no harm.
    const id = await inTransaction(pool, async (session) => {
      await session.query(`SET LOCAL lock_timeout = ${HEAD_LOCK_MS}`);
      const next = `UPDATE ${live}.ledger_head SET next_entity = next_entity + 1 WHERE tenant = $1 RETURNING next_entity - 1 AS id`;
      return (await session.query<{ id: number }>(next, [tenant])).rows[0]!.id;
    });
    const [tenants, kinds, keys, parts, indexes] = entityColumns([ref]);
    await client.query(GIVE_ID, [tenants, kinds, keys, parts, indexes, id]);
    return id;
  }
}
