import type { Metrics } from '../../platform/observe/index.js';
import { loadSql, type PoolClient } from '../../platform/postgres/index.js';

const COUNT = loadSql(import.meta.url, 'count.sql');
/** Counting reads what waits and what is dead, so it is not done with every look. */
const COUNT_EVERY_MS = 10_000;

/** Counts attempts, and what waits and is dead, in the process that delivers. */
export function createDeliveryMetrics(metrics: Metrics) {
  let counted = { waiting: 0, dead: 0, oldestMs: undefined as number | undefined };
  let countedMs = 0;
  metrics.gauge(
    'rescind_channels_waiting',
    'Deliveries to channels that wait for an attempt, in the process that delivers.',
    [],
    () => counted.waiting,
  );
  metrics.gauge(
    'rescind_channels_dead',
    'Deliveries to channels that are dead and not replayed, in the process that delivers.',
    [],
    () => counted.dead,
  );
  metrics.gauge(
    'rescind_channels_oldest_waiting_seconds',
    'Age of the oldest news that wait for a channel, in the process that delivers; 0: none waits.',
    [],
    () => (counted.oldestMs === undefined ? 0 : Math.max(0, (Date.now() - counted.oldestMs) / 1_000)),
  );
  return {
    attempts: metrics.counter(
      'rescind_channels_attempts_total',
      'Attempts to deliver a message to a channel, by result: delivered, failed (it is tried again), dead.',
      ['result'],
    ),
    missed: metrics.counter(
      'rescind_channels_missed_news_total',
      'News of findings that were deleted before they went to channels.',
    ),
    errors: metrics.counter(
      'rescind_channels_errors_total',
      'Times that the database failed the delivery to channels; it goes on where it was.',
    ),
    async read(client: PoolClient, nowMs: number): Promise<void> {
      if (nowMs - countedMs < COUNT_EVERY_MS) return;
      countedMs = nowMs;
      const { rows } = await client.query<{ waiting: string; dead: string; oldest_ms: string | null }>(COUNT);
      const { waiting, dead, oldest_ms: oldest } = rows[0]!;
      counted = {
        waiting: Number(waiting),
        dead: Number(dead),
        oldestMs: oldest === null ? undefined : Number(oldest),
      };
    },
  };
}
