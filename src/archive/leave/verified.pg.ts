import { join } from 'node:path';
import type { PoolClient } from '../../platform/postgres/index.js';
import type { Archived } from '../../projections/index.js';
import { problemOf } from '../check.pg.js';
import { pathOf, readManifest, rowsOfTenant, type ArchivedFile } from '../manifest.pg.js';
import { tenantDirectory } from '../segment.js';

/** A file that was found whole is not read again for so long. */
const VERIFIED_FOR_MS = 24 * 3_600_000;

/** When each file was last found whole, by its path and digest. */
export type Verified = Map<string, number>;

/**
 * Finds where the archive of each tenant ends as far as its files of uses and of late facts are those of the manifest. Only tenants with a use
 * from before `before` (epoch seconds) are looked at.
 */
export async function findVerified(
  client: PoolClient,
  {
    root,
    before,
    verified,
    signal,
  }: { root: string; before: number; verified: Verified; signal?: AbortSignal | undefined },
): Promise<readonly Archived[]> {
  const found: Archived[] = [];
  const { rows } = await client.query<{ tenant: string }>(
    "SELECT DISTINCT tenant FROM archive_file WHERE name = 'uses' AND first_at < $1::bigint ORDER BY tenant",
    [before],
  );
  for (const { tenant } of rows) {
    const manifest = await readManifest(rowsOfTenant(client, tenant));
    const needed = manifest.files.filter(({ name }) => name === 'uses' || name === 'late');
    let end = manifest.end;
    for (const file of needed) {
      signal?.throwIfAborted();
      if (await isWhole(join(tenantDirectory(root, tenant), pathOf(file)), file, verified, signal)) continue;
      end = file.first;
      break;
    }
    found.push({ tenant, end });
  }
  return found;
}

async function isWhole(path: string, file: ArchivedFile, verified: Verified, signal?: AbortSignal): Promise<boolean> {
  const name = `${path} ${file.sha256}`;
  const at = verified.get(name);
  const now = performance.now();
  const isRecent = at !== undefined && now - at < VERIFIED_FOR_MS;
  if ((await problemOf(path, file, { signal, bySize: isRecent })) !== undefined) {
    verified.delete(name);
    return false;
  }
  if (!isRecent) verified.set(name, now);
  return true;
}
