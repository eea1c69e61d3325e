import type { ControlState } from '../../control/index.js';
import type { LogBoundsReader } from '../../platform/kafka/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Metrics } from '../../platform/observe/index.js';

/** How often the ends of the logs are fetched. A partition that delivers no records reports nothing by itself. */
const REFRESH_MS = 5_000;

export interface LagWatch {
  start(): void;
  /** Sets the partition's first offset that is not stored, and watches the partition from then on. */
  standsAt(topic: string, partition: number, next: bigint): void;
  endsAt(topic: string, partition: number, high: bigint): void;
  /** Stops watching all partitions, because other processes may have them now. */
  forget(): void;
  stop(): Promise<void>;
}

interface Standing {
  readonly topic: string;
  readonly partition: number;
  next: bigint;
  high: bigint;
}

/** Measures how far behind this process is in each of its partitions, including those that are stopped or deliver no records. */
export function createLagWatch({ bounds, state, log, metrics, everyMs = REFRESH_MS }: LagOptions): LagWatch {
  const standings = new Map<string, Standing>();
  let refreshing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const sourceOf = (topic: string): string =>
    state
      .sourcesOfTopic(topic)
      .map(({ name }) => name)
      .join(',');

  metrics.observed(
    'rescind_ingest_kafka_lag',
    'Records of a partition that are not stored yet.',
    ['source', 'topic', 'partition'],
    () =>
      [...standings.values()].map(({ topic, partition, next, high }) => [
        { source: sourceOf(topic), topic, partition: String(partition) },
        high > next ? Number(high - next) : 0,
      ]),
  );

  async function refresh(): Promise<void> {
    for (const [topic, partitions] of await bounds.ofTopics(
      new Set([...standings.values()].map(({ topic: of }) => of)),
    )) {
      for (const [partition, { high }] of partitions) {
        const standing = standings.get(`${topic}/${partition}`);
        if (standing) standing.high = high;
      }
    }
  }

  return {
    start() {
      timer = setInterval(() => {
        refreshing ??= refresh()
          .catch((error: unknown) => log.debug({ err: error }, 'cannot read the ends of the topics; retrying'))
          .finally(() => {
            refreshing = undefined;
          });
      }, everyMs);
      timer.unref();
    },
    standsAt(topic, partition, next) {
      const standing = standings.get(`${topic}/${partition}`);
      if (standing) standing.next = next;
      else standings.set(`${topic}/${partition}`, { topic, partition, next, high: next });
    },
    endsAt(topic, partition, high) {
      const standing = standings.get(`${topic}/${partition}`);
      if (standing) standing.high = high;
    },
    forget: () => standings.clear(),
    async stop() {
      clearInterval(timer);
      await refreshing;
    },
  };
}

interface LagOptions {
  readonly bounds: Pick<LogBoundsReader, 'ofTopics'>;
  readonly state: ControlState;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly everyMs?: number;
}
