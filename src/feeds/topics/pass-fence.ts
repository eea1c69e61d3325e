import { setTimeout as delay } from 'node:timers/promises';
import { RescindError } from '../../contracts/index.js';
import { type Config } from '../../platform/config/index.js';
import { type KafkaServers } from '../../platform/embedded/index.js';
import { listenUnready } from '../../platform/http/index.js';
import { createKafka } from '../../platform/kafka/index.js';
import { type Log } from '../../platform/log/index.js';
import { type Health, type Metrics } from '../../platform/observe/index.js';
import { type Pool } from '../../platform/postgres/index.js';
import { announceInstance } from '../../platform/process/index.js';
import { createControlFence } from './fence.js';
import type { TopicKeys } from './topic-key.pg.js';

/** How often a process that may not begin checks again, and how often it logs the reason. */
const RETRY_MS = 2_000;
const REMINDER_MS = 60_000;

export interface PassFenceOptions {
  readonly config: Config;
  readonly servers: KafkaServers;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly stopping: AbortSignal;
  readonly pool: Pool;
  readonly keys: TopicKeys;
  /** Whether this process writes the address of its instance. A member of a group leaves that to the group. */
  readonly announces: boolean;
}

/**
 * Waits until the database matches the published topic. Meanwhile the address reports that this process is not ready. Throws
 * `shutting-down` if the process is told to stop first.
 */
export async function passControlFence(options: PassFenceOptions): Promise<void> {
  const { config, servers, log, metrics, health, stopping, pool, keys, announces } = options;
  if (config.controlFence === 'off') return;
  const fence = createControlFence({
    kafka: createKafka({ ...servers, clientId: 'rescind-fence', log, retry: { retries: 1 } }),
    pool,
    keys,
    prefix: config.topicPrefix,
    log,
  });
  let problem = await fence.check();
  health.register('control-fence', () => {
    if (problem) throw problem;
  });
  const server =
    problem &&
    (await listenUnready({
      listen: config.listen,
      health,
      metrics,
      reason: () => new RescindError(problem?.code ?? 'shutting-down'),
    }));
  const withdraw = server && announces && (await announceInstance({ home: config.home, url: server.url, log }));
  let saidAt = -Infinity;
  while (problem && !stopping.aborted) {
    if (performance.now() - saidAt >= REMINDER_MS) {
      log.error(
        { url: server?.url, code: problem.code, detail: problem.detail },
        'cannot confirm that the database is the current one; this process waits and checks again',
      );
      saidAt = performance.now();
    }
    await delay(RETRY_MS, undefined, { signal: stopping }).catch(() => undefined);
    problem = await fence.check();
  }
  await Promise.all([server?.close(), fence.stop(), withdraw ? withdraw() : undefined]);
  if (stopping.aborted) throw new RescindError('shutting-down');
}
