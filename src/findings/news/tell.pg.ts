import type { PoolClient } from '../../platform/postgres/index.js';
import { tellNews, type What } from './news.pg.js';

const LOCK_FINDING = 'SELECT FROM finding WHERE tenant = $1 AND id = $2 FOR UPDATE';

/** Tells the news of a change, in its transaction. The finding is locked before the news, as by a step of the detections, so that neither waits for the other for ever. */
export async function tellOfChange(
  client: PoolClient,
  change: { readonly tenant: string; readonly finding: string; readonly nowMs: number; readonly what: What },
): Promise<void> {
  const { tenant, finding, nowMs, what } = change;
  await client.query(LOCK_FINDING, [tenant, finding]);
  await tellNews(client, { tenant, findings: [finding], nowMs, what });
}
