import { setTimeout as delay } from 'node:timers/promises';
import type { Kafka } from '../../platform/kafka/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Metrics } from '../../platform/observe/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import { takeLead } from '../topics/lead.pg.js';
import { TenantPublisher, type TenantSource } from './tenant-publisher.js';

/** Delay before the source is looked at again, before a process that does not publish tries to, and before one that failed tries again. */
const POLL_MS = 1_000;

export interface TenantFeedOptions {
  readonly kafka: Kafka;
  readonly pool: Pool;
  readonly source: TenantSource;
  /**
   * Advisory lock of the publishing process. It only saves work: of two processes that published, brokers would refuse the one that opened
   * the transactional id first, and the cursor would move for one alone. They would repeat messages and skip none.
   */
  readonly lock: number;
  /** Transactional id of the publisher. Brokers accept records only from the process that opened it last. */
  readonly transactionalId: string;
  /** Names what is published, for the log. */
  readonly what: string;
  readonly metrics: Metrics;
  /** Names and texts of the metrics. */
  readonly counted: { readonly errors: string; readonly lag: string; readonly lagHelp: string };
  readonly log: Log;
}

/** Publishes something of each tenant to Kafka, in one process of a deployment at a time. Any process that runs it may take over. */
export interface TenantFeed {
  start(): void;
  stop(): Promise<void>;
}

export function createTenantFeed(options: TenantFeedOptions): TenantFeed {
  const { kafka, pool, source, lock, transactionalId, what, metrics, counted, log } = options;
  const reader = kafka.topicReader();
  const ending = new AbortController();
  const nap = (): Promise<void> => delay(POLL_MS, undefined, { signal: ending.signal }).catch(() => undefined);
  let running: Promise<void> = Promise.resolve();
  /** Set while this process publishes. */
  let publisher: TenantPublisher | undefined;
  const errors = metrics.counter(counted.errors, `Times that publishing ${what} broke off; it begins again.`);
  metrics.observed(counted.lag, counted.lagHelp, ['topic'], () =>
    (publisher?.lags() ?? []).map(([topic, lag]) => [{ topic }, lag] as const),
  );

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      try {
        await lead();
      } catch (error) {
        errors.inc();
        log.warn({ err: error }, `cannot publish ${what}; starting again`);
      }
      await nap();
    }
    await reader.stop();
  }

  /** Publishes as long as this process holds the right to. Returns if another process holds it. */
  async function lead(): Promise<void> {
    const right = await takeLead<bigint>(pool, lock);
    if (!right) return;
    const writer = kafka.topicWriter(transactionalId);
    try {
      await writer.connect();
      const leading = new TenantPublisher({ right, writer, reader, source, log });
      await leading.begin();
      publisher = leading;
      log.info(`this process publishes ${what}`);
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
