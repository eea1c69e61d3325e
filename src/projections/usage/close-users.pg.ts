import type { PoolClient } from 'pg';
import { int4Array, loadSql, uuidArray } from '../../platform/postgres/index.js';
import type { ProjectedEvent } from '../event.js';
import { USER_BLOCK_BITS } from './blocks.js';

const CLOSE_USERS = loadSql(import.meta.url, 'close-users.sql');

/** For each tenant, the block up to which a session found the sums of users committed. */
const ended = new WeakMap<PoolClient, Map<string, number>>();

/**
 * Sums up the uses of users in the blocks that the events have left, once a block. Rows of an open block would be written again by
 * every batch. All uses of these blocks must be written before the call.
 */
export async function closeUsers(
  client: PoolClient,
  events: readonly Pick<ProjectedEvent, 'tenant' | 'ix'>[],
): Promise<void> {
  const known = ended.get(client) ?? new Map<string, number>();
  ended.set(client, known);
  const last = new Map(events.map(({ tenant, ix }) => [tenant, Number(ix >> USER_BLOCK_BITS)]));
  const due = [...last].filter(([tenant, block]) => block > (known.get(tenant) ?? 0));
  if (due.length === 0) return;
  const { rows } = await client.query<{ tenant: string; blk: number }>(CLOSE_USERS, [
    uuidArray(due.map(([tenant]) => tenant)),
    int4Array(due.map(([, block]) => block)),
  ]);
  // A block is cached only when it is found again later: this transaction may still be rolled back.
  for (const { tenant, blk } of rows) known.set(tenant, blk);
}
