import type { PoolClient } from '../../platform/postgres/index.js';
import { taggedWith } from '../../query/index.js';

const TAGS = `SELECT f.id, array_agg(t.tag) AS tags
  FROM finding f
  CROSS JOIN LATERAL unnest(ARRAY[f.usr, f.client, f.agent, f.res]) AS n (id)
  JOIN (${taggedWith('$3::text[]')}) t ON t.id = n.id
  WHERE f.tenant = $1 AND f.id = ANY ($2::uuid[])
  GROUP BY f.id`;
const NONE: ReadonlySet<string> = new Set();

/** Reads which of some tags findings have: those of their user, client, agent and resource in the directory now. Asks nothing for no tags. */
export async function readTagsOf({
  client,
  tenant,
  findings,
  tags,
}: {
  readonly client: Pick<PoolClient, 'query'>;
  readonly tenant: string;
  readonly findings: readonly string[];
  readonly tags: readonly string[];
}): Promise<(finding: string) => ReadonlySet<string>> {
  if (tags.length === 0) return () => NONE;
  const { rows } = await client.query<{ id: string; tags: string[] }>(TAGS, [tenant, findings, tags]);
  const found = new Map(rows.map((row) => [row.id, new Set(row.tags)]));
  return (finding) => found.get(finding) ?? NONE;
}
