import type { PoolClient } from 'pg';
import { int8Array, loadSql, uuidArray } from '../../platform/postgres/index.js';

/** Uses that one step deletes: a tenth of a second of locks that nobody waits for. */
export const LEAVE_STEP = 5_000;

export const MAY_LEAVE = loadSql(import.meta.url, 'may-leave.sql').replace(/^--.*\n/gm, '');
/** SQL of the bounds of each tenant: below `end_ix` everything is archived, as the caller says, and in the sums of users. */
export const BOUNDS = `
  SELECT e.tenant, least(v.end_ix, e.blk::bigint << 14) AS end_ix
  FROM unnest($1::uuid[], $2::bigint[]) AS v (tenant, end_ix) JOIN use_usr_end e ON e.tenant = v.tenant`;
const DELETE = loadSql(import.meta.url, 'delete-cold.sql')
  .replace('{bounds}', BOUNDS)
  .replace('{may_leave}', MAY_LEAVE);

/** The end of the verified archive of a tenant. */
export interface Archived {
  readonly tenant: string;
  readonly end: bigint;
}

export const boundValues = (archived: readonly Archived[]): Buffer[] => [
  uuidArray(archived.map(({ tenant }) => tenant)),
  int8Array(archived.map(({ end }) => end)),
];

/**
 * Deletes uses whose time lies before `before` (epoch seconds) from a table, in one short statement: some that the archive has and that
 * nothing can change any more. Returns how many. `table` is the quoted name of `access`, or of its partition of all other times.
 */
export async function deleteCold(
  client: Pick<PoolClient, 'query'>,
  {
    table,
    before,
    archived,
    most = LEAVE_STEP,
  }: { table: string; before: number; archived: readonly Archived[]; most?: number },
): Promise<number> {
  const { rows } = await client.query<{ gone: number }>(DELETE.replaceAll('{table}', table), [
    ...boundValues(archived),
    before,
    most,
  ]);
  return rows[0]!.gone;
}
