import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool, PoolClient } from '../platform/postgres/index.js';
import { hashFile } from './hash-file.js';
import { pathOf, readManifest, rowsOfTenant, type ArchivedFile } from './manifest.pg.js';
import { tenantDirectory } from './segment.js';

/** A manifest row whose file is not there, or is another. */
export interface Damaged {
  readonly tenant: string;
  readonly file: ArchivedFile;
  readonly path: string;
  readonly problem: 'missing' | 'size' | 'sha256';
}

/** Compares every file of the archive with its manifest row, one after the other; with `among`, only these. */
export async function findDamaged({
  pool,
  root,
  among,
  signal,
  onChecked,
}: {
  readonly pool: Pool | PoolClient;
  readonly root: string;
  readonly among?: readonly Damaged[];
  readonly signal?: AbortSignal;
  readonly onChecked?: (done: number, total: number) => void;
}): Promise<readonly Damaged[]> {
  const damaged: Damaged[] = [];
  const wanted = among && new Set(among.map(({ path }) => path));
  const { rows } = await pool.query<{ tenant: string }>('SELECT tenant FROM archive_head ORDER BY tenant');
  for (const { tenant } of rows) {
    const { files } = await readManifest(rowsOfTenant(pool, tenant));
    for (const [nth, file] of files.entries()) {
      signal?.throwIfAborted();
      const path = join(tenantDirectory(root, tenant), pathOf(file));
      if (wanted?.has(path) === false) continue;
      const problem = await problemOf(path, file, { signal });
      if (problem !== undefined) damaged.push({ tenant, file, path, problem });
      onChecked?.(nth + 1, files.length);
    }
  }
  return damaged;
}

/** Says how a file differs from its manifest row; with `bySize`, without reading it. */
export async function problemOf(
  path: string,
  file: ArchivedFile,
  { signal, bySize = false }: { readonly signal?: AbortSignal | undefined; readonly bySize?: boolean },
): Promise<Damaged['problem'] | undefined> {
  try {
    if ((await stat(path)).size !== file.bytes) return 'size';
    if (bySize) return undefined;
    return (await hashFile(path, signal)).sha256 === file.sha256 ? undefined : 'sha256';
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return 'missing';
    throw error;
  }
}
