import { mkdir } from 'node:fs/promises';
import type { Config } from '../platform/config/index.js';
import { startDatabase, startKafka } from '../platform/embedded/index.js';
import { startProcessGroup } from '../platform/group/index.js';
import { announceInstance, type Lifecycle } from '../platform/process/index.js';
import type { StartOptions } from './parts.js';
import { endOf, type RunningFacts, type RunningRescind } from './running.js';

/** Starts the processes of a group. The embedded services belong to this process, which serves nothing itself. */
export async function startGroup(
  config: Config,
  { log, say }: StartOptions,
  lifecycle: Lifecycle,
): Promise<RunningRescind> {
  await mkdir(config.home, { recursive: true, mode: 0o700 });
  const [url, kafka] = await Promise.all([
    startDatabase(config, log, lifecycle, say),
    startKafka(config, log, lifecycle, say),
  ]);
  const embedded = {
    ...(config.database === 'embedded' ? { DATABASE_URL: url } : {}),
    ...(config.kafka === 'embedded' ? { KAFKA_BROKERS: kafka.servers?.brokers.join(',') ?? 'none' } : {}),
  };
  const group = await startProcessGroup({ count: config.processes, env: embedded, log, signal: lifecycle.stopping });
  lifecycle.onStop('processes', () => group.stop());
  const facts = group.facts as unknown as RunningFacts;
  lifecycle.onStop('instance file', await announceInstance({ home: config.home, url: facts.url, log }));
  return { ...facts, kafkaProblem: kafka.problem, ...endOf(lifecycle) };
}
