import type { Pool, PoolClient } from 'pg';
import { RescindError } from '../../contracts/index.js';
import { inTransaction, loadSql } from '../../platform/postgres/index.js';
import { entityColumns, type EntityRef, type FindIds, type FoundId } from '../entities.pg.js';

const FIND_IDS = loadSql(import.meta.url, 'find-ids.sql');

const GIVE_ID = `INSERT INTO entity (tenant, id, kind, key, parts, from_ix) SELECT tenant, $6, kind, key, parts, ix
  FROM unnest($1::uuid[], $2::smallint[], $3::bytea[], $4::jsonb[], $5::bigint[]) AS w (tenant, kind, key, parts, ix)`;

/** While this rebuild holds ingest, its own hold is in the way: it is let go and tried again. */
const HEAD_LOCK_MS = 300;

export interface KeptIdsOptions {
  readonly pool: Pool;
  /** Schema of the live tables, quoted. */
  readonly live: string;
  /** Whether a name without an id gets one: only when all tables that hold ids are made anew. */
  readonly mayGive: boolean;
}

/**
 * Ids are not in the ledger: a name keeps the one that it has in the live directory. A name that is missing there, though an entry
 * states it, gets the tenant's next one.
 */
export function keepIds({ pool, live, mayGive }: KeptIdsOptions): FindIds {
  const find = FIND_IDS.replaceAll('live.', `${live}.`);
  return async (client, unknown) => {
    const { rows } = await client.query<Omit<FoundId, 'id'> & { id: number | null }>(find, entityColumns(unknown));
    const found: FoundId[] = [];
    for (const { nth, id, known } of rows) found.push({ nth, id: id ?? (await give(client, unknown[Number(nth) - 1]!)), known });
    return found;
  };

  async function give(client: PoolClient, ref: EntityRef): Promise<number> {
    const { tenant } = ref.owner;
    if (!mayGive) {
      const detail = `the live directory lacks a ${ref.kind} that entry ${ref.owner.ix} of ${tenant} names: rebuild \`all\``;
      throw new RescindError('rebuild-differs', { detail });
    }
    // On a session of its own, committed at once: a number that is not used in the end is no harm.
    const id = await inTransaction(pool, async (session) => {
      await session.query(`SET LOCAL lock_timeout = ${HEAD_LOCK_MS}`);
      const next = `UPDATE ${live}.ledger_head SET next_entity = next_entity + 1 WHERE tenant = $1 RETURNING next_entity - 1 AS id`;
      return (await session.query<{ id: number }>(next, [tenant])).rows[0]!.id;
    });
    const [tenants, kinds, keys, parts, indexes] = entityColumns([ref]);
    await client.query(
      GIVE_ID,
      [tenants, kinds, keys, parts, indexes, id],
    );
    return id;
  }
}
