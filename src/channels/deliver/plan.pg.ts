import { readNews, readTagsOf, SEVERITIES, type Kind, type News, type What } from '../../findings/index.js';
import { loadSql, type PoolClient } from '../../platform/postgres/index.js';

const BEHIND = loadSql(import.meta.url, 'behind.sql');
const MAKE_DELIVERIES = loadSql(import.meta.url, 'make-deliveries.sql');
const READ_CHANNELS = 'SELECT id, severity, kinds, news, tags, since FROM channel WHERE tenant = $1 AND enabled';

/** Selects the news that a channel wants. */
export interface Filter {
  /** Position in `SEVERITIES` of the least one. */
  readonly severity: number;
  /** Null: any. */
  readonly kinds: readonly Kind[] | null;
  readonly news: readonly What[] | null;
  readonly tags: readonly string[] | null;
  /** The seq of the tenant's news when the channel was made. */
  readonly since: bigint;
}

/** Says whether a channel wants news of a finding that has the tags `has`. */
export const wants = ({ severity, kinds, news, tags, since }: Filter, one: News, has: ReadonlySet<string>): boolean =>
  one.seq > since &&
  SEVERITIES.indexOf(one.severity) >= severity &&
  (kinds === null || kinds.includes(one.kind)) &&
  (news === null || news.includes(one.what)) &&
  (tags === null || tags.some((tag) => has.has(tag)));

/**
 * Makes deliveries of the news that came, for each channel that wants them. The cursor moves with them, so that each is made once. Resolves to the news
 * that were deleted before they were read.
 */
export async function planDeliveries(client: PoolClient, nowMs: number): Promise<bigint> {
  let allMissed = 0n;
  const { rows } = await client.query<{ tenant: string; seq: string }>(BEHIND);
  for (const { tenant, seq } of rows) {
    const after = BigInt(seq);
    const { news, missed } = await readNews({ pool: client, tenant, after });
    if (news.length === 0) continue;
    // A tenant whose cursor stands nowhere had no channel when the old ones were deleted.
    if (after > 0n) allMissed += missed;
    const channels = await readChannels(client, tenant);
    const tags = await readTagsOf({
      client,
      tenant,
      findings: news.map(({ finding }) => finding),
      tags: channels.flatMap((channel) => channel.tags ?? []),
    });
    const made = news.flatMap((one) =>
      channels.filter((channel) => wants(channel, one, tags(one.finding))).map(({ id }) => ({ id, one })),
    );
    await client.query(MAKE_DELIVERIES, [
      tenant,
      seq,
      String(news.at(-1)!.seq),
      nowMs,
      made.map(({ id }) => id),
      made.map(({ one }) => String(one.seq)),
      made.map(({ one }) => one.finding),
      made.map(({ one }) => one.what),
      made.map(({ one }) => one.atMs),
    ]);
  }
  return allMissed;
}

async function readChannels(
  client: PoolClient,
  tenant: string,
): Promise<readonly (Filter & { readonly id: string })[]> {
  type Row = Omit<Filter, 'since'> & { id: string; since: string };
  const { rows } = await client.query<Row>(READ_CHANNELS, [tenant]);
  return rows.map((row) => ({ ...row, since: BigInt(row.since) }));
}
