import { setTimeout as delay } from 'node:timers/promises';
import { RescindError } from '../../contracts/index.js';
import { createCheckpointTopic, createControlFence, type TopicKeys } from '../../feeds/index.js';
import { createLedgerDirectory, createLedgerFence } from '../../log/index.js';
import type { Config } from '../../platform/config/index.js';
import type { KafkaServers } from '../../platform/embedded/index.js';
import { listenUnready } from '../../platform/http/index.js';
import { createKafka } from '../../platform/kafka/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Health, Metrics } from '../../platform/observe/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import { announceInstance } from '../../platform/process/index.js';

/** How often a process that may not begin checks again, and how often it logs the reason. */
const RETRY_MS = 2_000;
const REMINDER_MS = 60_000;

/** A check that the database is the current one. */
interface Fence {
  /** Returns why answers must not come from this database, with what to do. Undefined if they may. */
  check(): Promise<RescindError | undefined>;
  stop(): Promise<void>;
}

export interface PassFencesOptions {
  readonly config: Config;
  readonly servers: KafkaServers | null;
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
 * Waits until the database continues what left it: the published control log, and the signed checkpoints of its ledgers. Meanwhile the
 * address reports that this process is not ready. Throws `shutting-down` if the process is told to stop first.
 */
export async function passFences(options: PassFencesOptions): Promise<void> {
  const { config, log, metrics, health, stopping, announces } = options;
  if (config.controlFence === 'off') return;
  const fences = createFences(options);
  const check = async (): Promise<RescindError | undefined> => {
    for (const fence of fences) {
      const problem = await fence.check();
      if (problem) return problem;
    }
    return undefined;
  };
  let problem = await check();
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
    problem = await check();
  }
  await Promise.all([server?.close(), ...fences.map((fence) => fence.stop()), withdraw ? withdraw() : undefined]);
  if (stopping.aborted) throw new RescindError('shutting-down');
}

function createFences({ config, servers, log, pool, keys }: PassFencesOptions): readonly Fence[] {
  const kafka = servers && createKafka({ ...servers, clientId: 'rescind-fence', log, retry: { retries: 1 } });
  const topic = kafka && createCheckpointTopic({ kafka, prefix: config.topicPrefix });
  const ledgers = createLedgerFence({
    session: pool,
    logOrigin: config.logOrigin,
    directory: createLedgerDirectory(config.ledgerDir),
    anchors: topic ? [topic] : [],
  });
  return [
    ...(kafka ? [createControlFence({ kafka, pool, keys, prefix: config.topicPrefix, log })] : []),
    { check: ledgers.check, stop: async () => topic?.stop() },
  ];
}
