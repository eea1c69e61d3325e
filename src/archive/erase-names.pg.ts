import type { Pool } from '../platform/postgres/index.js';
import { withArchiveLock } from './lock.pg.js';
import { readManifest, rowsOfTenant } from './manifest.pg.js';
import { isPlace } from './place.pg.js';
import { rewriteFile } from './write-segment.pg.js';

export interface NamesOfArchive {
  readonly pool: Pool;
  readonly root: string;
  readonly tenant: string;
  /** Ids of `entity` whose names have changed. */
  readonly ids: readonly number[];
}

/** Counts the files that hold the names of these ids. */
export async function countNameFiles({ pool, tenant, ids }: Omit<NamesOfArchive, 'root'>): Promise<number> {
  return (await findNameFiles(pool, tenant, ids)).length;
}

/**
 * Writes the files that hold the names of these ids anew, from the names that PostgreSQL has now. Resolves to the number of files, or to undefined if it has
 * to be tried again: another session writes the archive. Rejects if the archive is not in this directory.
 */
export async function rewriteNameFiles({ pool, root, tenant, ids }: NamesOfArchive): Promise<number | undefined> {
  return withArchiveLock(pool, async (client) => {
    const files = await findNameFiles(client, tenant, ids);
    if (files.length === 0) return 0;
    if (!(await isPlace(client, root))) throw new Error(`${root} is not the directory of the archive`);
    for (const { first, end, day } of files)
      await rewriteFile({ client, root, range: { tenant, first, end, day } }, 'entity');
    return files.length;
  });
}

async function findNameFiles(client: Pick<Pool, 'query'>, tenant: string, ids: readonly number[]) {
  const { files } = await readManifest(rowsOfTenant(client, tenant));
  const { rows } = await client.query<{ ix: string }>(
    'SELECT from_ix AS ix FROM entity WHERE tenant = $1 AND id = ANY ($2::int[])',
    [tenant, ids],
  );
  const indexes = rows.map(({ ix }) => BigInt(ix));
  return files.filter(
    ({ name, first, end }) => name === 'entity' && indexes.some((index) => index >= first && index < end),
  );
}
