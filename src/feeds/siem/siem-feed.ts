import { JSON_MEDIA_TYPE } from '../../contracts/index.js';
import { createOcsfReader, type OcsfEvent, type OcsfReaderOptions } from '../../ocsf/index.js';
import { DEFAULT_TOPIC_PREFIX } from '../../platform/config/index.js';
import type { Kafka, TopicMessage } from '../../platform/kafka/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Metrics } from '../../platform/observe/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import { readHead } from './head.pg.js';
import { ocsfTopic, ocsfTransactionalId, inOrder } from './names.js';
import { createTenantFeed, type TenantFeed } from './tenant-feed.js';

const SIEM_LOCK = 7427;

export interface SiemFeedOptions {
  readonly kafka: Kafka;
  readonly pool: Pool;
  /** Reads attributions of uses. */
  readonly ask: OcsfReaderOptions['ask'];
  /** The folded control state: names of tenants and sources. */
  readonly state: {
    tenants(): Iterable<{ readonly id: string; readonly name: string }>;
    tenant(id: string): { readonly name: string } | undefined;
    source(id: string): { readonly name: string } | undefined;
  };
  readonly log: Log;
  readonly metrics: Metrics;
  readonly prefix?: string;
}

/** Publishes each tenant's ledger as OCSF events. */
export function createSiemFeed(options: SiemFeedOptions): TenantFeed {
  const { kafka, pool, ask, state, log, metrics, prefix = DEFAULT_TOPIC_PREFIX } = options;
  const ocsf = createOcsfReader({
    pool,
    ask,
    tenantName: (id) => state.tenant(id)?.name ?? id,
    sourceName: (id) => state.source(id)?.name ?? id,
  });
  return createTenantFeed({
    kafka,
    pool,
    source: {
      tenants: () => state.tenants(),
      settings: (tenantName) => inOrder(ocsfTopic(prefix, tenantName)),
      head: (tenant) => readHead(pool, tenant),
      async read({ id }, from, head) {
        const { events, next } = await ocsf.read(id, from, head);
        return { messages: events.map(messageOf), next };
      },
    },
    lock: SIEM_LOCK,
    transactionalId: ocsfTransactionalId(prefix),
    what: 'ledgers to Kafka as OCSF',
    metrics,
    counted: {
      errors: 'rescind_ocsf_feed_errors_total',
      lag: 'rescind_ocsf_feed_lag_entries',
      lagHelp: 'Entries of a ledger that are not published as OCSF yet, in the process that publishes.',
    },
    log,
  });
}

const messageOf = (event: OcsfEvent): TopicMessage => ({
  key: String(event.metadata.sequence),
  value: JSON.stringify(event),
  headers: { 'content-type': JSON_MEDIA_TYPE },
});
