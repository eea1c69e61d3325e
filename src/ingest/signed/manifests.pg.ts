import type { Pool, PoolClient } from 'pg';
import { manifestDigest } from '../../contracts/index.js';
import type { Accepted, Rejected } from '../accept/accept.js';

/**
 * Keeps the verified manifests of events that are stored, or refused and may be replayed, each once. Runs in the transaction that writes the events.
 */
export async function keepManifests(
  client: PoolClient,
  events: readonly Pick<Accepted | Rejected, 'arrived' | 'source'>[],
): Promise<void> {
  const manifests = new Map<string, { readonly tenant: string; readonly jws: string }>();
  for (const { arrived, source } of events) {
    const { signature } = arrived;
    if (source === undefined || !signature?.isGood || signature.manifest === undefined) continue;
    manifests.set(`${source.tenant} ${signature.manifest}`, { tenant: source.tenant, jws: signature.manifest });
  }
  if (manifests.size === 0) return;
  const rows = [...manifests.values()];
  await client.query(
    `INSERT INTO signed_manifest (tenant, digest, jws) SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::text[])
     ON CONFLICT DO NOTHING`,
    [rows.map(({ tenant }) => tenant), rows.map(({ jws }) => manifestDigest(jws)), rows.map(({ jws }) => jws)],
  );
}

/** Reads a manifest that was kept; undefined if no event of its batch was stored. */
export async function readManifest(
  pool: Pick<Pool, 'query'>,
  tenant: string,
  digest: Buffer,
): Promise<string | undefined> {
  const { rows } = await pool.query<{ jws: string }>(
    'SELECT jws FROM signed_manifest WHERE tenant = $1 AND digest = $2',
    [tenant, digest],
  );
  return rows[0]?.jws;
}
