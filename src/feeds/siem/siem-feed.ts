import { setTimeout as delay } from 'node:timers/promises';
import { createOcsfReader, type OcsfReaderOptions } from '../../ocsf/index.js';
import { DEFAULT_TOPIC_PREFIX } from '../../platform/config/index.js';
import type { Kafka } from '../../platform/kafka/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Metrics } from '../../platform/observe/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import { takeLead } from '../topics/lead.pg.js';
import { readHead } from './head.pg.js';
import { ocsfTransactionalId } from './names.js';
import { SiemPublisher } from './siem-publisher.js';

/**
 * Advisory lock of the publishing process. It only saves work: of two processes that published, brokers would refuse the one that opened the
 * transactional id first, and the cursor would move for one alone. They would repeat entries and skip none.
 */
const SIEM_LOCK = 7427;
/** Delay before the ledgers are looked at again, before a process that does not publish tries to, and before one that failed tries again. */
const POLL_MS = 1_000;

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

/** Publishes each tenant's ledger as OCSF events, in one process of a deployment at a time. Any process that runs it may take over. */
export interface SiemFeed {
  start(): void;
  stop(): Promise<void>;
}

export function createSiemFeed(options: SiemFeedOptions): SiemFeed {
  const { kafka, pool, ask, state, log, metrics, prefix = DEFAULT_TOPIC_PREFIX } = options;
  const reader = kafka.topicReader();
  const ocsf = createOcsfReader({
    pool,
    ask,
    tenantName: (id) => state.tenant(id)?.name ?? id,
    sourceName: (id) => state.source(id)?.name ?? id,
  });
  const ending = new AbortController();
  const nap = (): Promise<void> => delay(POLL_MS, undefined, { signal: ending.signal }).catch(() => undefined);
  let running: Promise<void> = Promise.resolve();
  /** Set while this process publishes. */
  let publisher: SiemPublisher | undefined;
  const errors = metrics.counter(
    'rescind_ocsf_feed_errors_total',
    'Times that publishing ledgers to Kafka as OCSF broke off; it begins again.',
  );
  metrics.observed(
    'rescind_ocsf_feed_lag_entries',
    'Entries of a ledger that are not published as OCSF yet, in the process that publishes.',
    ['topic'],
    () => (publisher?.lags() ?? []).map(([topic, entries]) => [{ topic }, entries] as const),
  );

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      try {
        await lead();
      } catch (error) {
        errors.inc();
        log.warn({ err: error }, 'cannot publish ledgers as OCSF; starting again');
      }
      await nap();
    }
    await reader.stop();
  }

  /** Publishes as long as this process holds the right to. Returns if another process holds it. */
  async function lead(): Promise<void> {
    const right = await takeLead<bigint>(pool, SIEM_LOCK);
    if (!right) return;
    const writer = kafka.topicWriter(ocsfTransactionalId(prefix));
    try {
      await writer.connect();
      const tenants = () => state.tenants();
      const headOf = (tenant: string) => readHead(pool, tenant);
      const leading = new SiemPublisher({ right, writer, reader, ocsf, tenants, headOf, prefix, log });
      await leading.begin();
      publisher = leading;
      log.info('this process publishes ledgers to Kafka as OCSF');
      while (!ending.signal.aborted && !right.isLost()) if (!(await leading.publishNext())) await nap();
    } finally {
      publisher = undefined;
      await writer.close();
      right.release();
    }
  }

  return {
    start() {
      running = run();
    },
    async stop() {
      ending.abort();
      await running;
    },
  };
}
