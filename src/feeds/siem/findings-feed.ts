import { instantText, JSON_MEDIA_TYPE } from '../../contracts/index.js';
import { findingToOcsf } from '../../ocsf/index.js';
import { DEFAULT_TOPIC_PREFIX } from '../../platform/config/index.js';
import type { Kafka, TopicMessage } from '../../platform/kafka/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Metrics } from '../../platform/observe/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import type { FindingNews, NewsOfFindings, TellableFinding } from '../findings-news.js';
import { findingsTopic, findingsTransactionalId, inOrder } from './names.js';
import { createTenantFeed, type TenantFeed } from './tenant-feed.js';

const FINDINGS_TOPIC_LOCK = 7431;

export interface FindingsFeedOptions {
  readonly kafka: Kafka;
  readonly pool: Pool;
  readonly findings: NewsOfFindings;
  readonly tenants: () => Iterable<{ readonly id: string; readonly name: string }>;
  /** `json`: the finding as `/v1/findings/{id}` answers it, in an envelope. `ocsf`: a Detection Finding. */
  readonly format: 'json' | 'ocsf';
  readonly log: Log;
  readonly metrics: Metrics;
  readonly prefix?: string;
}

/** Publishes the news of each tenant's findings, in their order. */
export function createFindingsFeed(options: FindingsFeedOptions): TenantFeed {
  const { kafka, pool, findings, tenants, format, log, metrics, prefix = DEFAULT_TOPIC_PREFIX } = options;
  return createTenantFeed({
    kafka,
    pool,
    source: {
      tenants,
      settings: (tenantName) => inOrder(findingsTopic(prefix, tenantName)),
      head: findings.last,
      async read({ id, name }, from, head) {
        const { news, missed } = await findings.read(id, from);
        if (missed > 0n || news.length === 0)
          log.warn(
            { tenant: name, missed: String(missed) },
            'news of findings were deleted before they were published',
          );
        const messages: TopicMessage[] = [];
        for (const one of news) {
          const finding = await findings.show(id, one.finding, { payloads: true });
          if (finding !== undefined) messages.push(messageOf(format, one, finding, name));
        }
        return { messages, next: news.at(-1)?.seq ?? head };
      },
    },
    lock: FINDINGS_TOPIC_LOCK,
    transactionalId: findingsTransactionalId(prefix),
    what: 'findings to Kafka',
    metrics,
    counted: {
      errors: 'rescind_findings_topic_errors_total',
      lag: 'rescind_findings_topic_lag_news',
      lagHelp: 'News of findings that are not published yet, in the process that publishes.',
    },
    log,
  });
}

function messageOf(
  format: FindingsFeedOptions['format'],
  { seq, finding: id, what, atMs }: FindingNews,
  finding: TellableFinding,
  tenant: string,
): TopicMessage {
  const value =
    format === 'ocsf'
      ? findingToOcsf(finding, { position: seq, change: what, atMs, tenant })
      : {
          id: `${tenant}/findings/${seq}`,
          type: `finding.${what}`,
          timestamp: instantText(atMs),
          seq: String(seq),
          data: finding,
        };
  return { key: id, value: JSON.stringify(value), headers: { 'content-type': JSON_MEDIA_TYPE } };
}
