import { SEVERITIES, type Kind, type Severity } from '../detection.js';
import { loadSql, type Pool, type PoolClient } from '../../platform/postgres/index.js';
import { withStates } from '../ask/with-states.js';

/**
 * Kinds of changes of a finding. `grown`: its count has doubled since the news last told of it, or its severity rose. `resolved`: it closed itself. `state-changed`:
 * a person changed its state. `rule-ordered`: its detection ordered its rule by itself. `rule-held-back`: its detection was to order its rule, and the cap or the need
 * of a person's confirmation held that back. Never rename one: receivers know them.
 */
export const NEWS = [
  'opened',
  'grown',
  'reopened',
  'resolved',
  'state-changed',
  'rule-ordered',
  'rule-held-back',
] as const;
export type What = (typeof NEWS)[number];

/** News are kept for so long. A reader that stays away longer is told how many it missed. */
export const NEWS_KEPT_MS = 7 * 86_400_000;
/** News that one transaction deletes at most. More news are deleted than written, so that old ones do not pile up. */
const DELETED_AT_ONCE = 1_000;
/** Most news of one read. */
export const NEWS_AT_ONCE = 500;

const WRITE_NEWS = withStates(loadSql(import.meta.url, 'write-news.sql'), { at: '($3::bigint / 1000)' });
const DELETE_OLD = `DELETE FROM finding_news WHERE tenant = $1 AND at_ms < $2
  AND seq IN (SELECT seq FROM finding_news WHERE tenant = $1 ORDER BY seq LIMIT ${DELETED_AT_ONCE})`;
const READ_NEWS = `SELECT n.seq, n.finding, n.what, n.at_ms, f.kind, f.severity
  FROM finding_news n JOIN finding f ON f.tenant = $1 AND f.id = n.finding
  WHERE n.tenant = $1 AND n.seq > $2 ORDER BY n.seq LIMIT $3`;
const READ_LAST = 'SELECT seq FROM finding_news_head WHERE tenant = $1';

/**
 * Tells what changed of findings, in the transaction that changed them. Without `what`, the rows say what changed. Call it after the last write to `finding`: the
 * transaction then holds the lock of the tenant's news, and whoever waits for it has its findings already.
 */
export async function tellNews(
  client: PoolClient,
  {
    tenant,
    findings,
    nowMs,
    what,
  }: {
    readonly tenant: string;
    /** Ids of findings, each once. */
    readonly findings: readonly string[];
    readonly nowMs: number;
    readonly what?: What;
  },
): Promise<void> {
  if (findings.length === 0) return;
  const { rowCount } = await client.query(WRITE_NEWS, [tenant, findings, nowMs, what ?? null]);
  if (rowCount !== 0) await client.query(DELETE_OLD, [tenant, nowMs - NEWS_KEPT_MS]);
}

/** One change of a finding. */
export interface News {
  /** Position in the tenant's news: dense, from 1, in the order of the commits. */
  readonly seq: bigint;
  /** Id of the finding. */
  readonly finding: string;
  readonly what: What;
  readonly atMs: number;
  /** Kind of the finding. */
  readonly kind: Kind;
  /** Severity of the finding, as it is when the news are read. */
  readonly severity: Severity;
}

export interface NewsRead {
  readonly news: readonly News[];
  /** News behind `after` that were deleted before they were read. */
  readonly missed: bigint;
}

export interface NewsOptions {
  readonly pool: Pick<Pool, 'query'>;
  readonly tenant: string;
  /** The seq that was read last; 0n: from the oldest news. */
  readonly after: bigint;
  readonly limit?: number;
}

/** Reads the news behind `after`, in their order. A reader that goes on at the last seq misses none. */
export async function readNews({ pool, tenant, after, limit = NEWS_AT_ONCE }: NewsOptions): Promise<NewsRead> {
  type Row = { seq: string; finding: string; what: What; at_ms: string; kind: Kind; severity: number };
  const { rows } = await pool.query<Row>(READ_NEWS, [tenant, String(after), limit]);
  const news = rows.map((row) => ({
    seq: BigInt(row.seq),
    finding: row.finding,
    what: row.what,
    atMs: Number(row.at_ms),
    kind: row.kind,
    severity: SEVERITIES[row.severity]!,
  }));
  return { news, missed: news.length === 0 ? 0n : news[0]!.seq - after - 1n };
}

/** Returns the seq of a tenant's last news; 0n if it has had none. */
export async function lastNews({ pool, tenant }: Pick<NewsOptions, 'pool' | 'tenant'>): Promise<bigint> {
  const { rows } = await pool.query<{ seq: string }>(READ_LAST, [tenant]);
  return BigInt(rows[0]?.seq ?? 0);
}
