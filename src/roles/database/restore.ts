import { mkdir } from 'node:fs/promises';
import { RescindError } from '../../contracts/index.js';
import { createTopicKeys, restoreControlLog, type Restored } from '../../feeds/index.js';
import type { Config } from '../../platform/config/index.js';
import { startDatabase, startKafka } from '../../platform/embedded/index.js';
import { createKafka } from '../../platform/kafka/index.js';
import type { Log } from '../../platform/log/index.js';
import { checkServer, createPool } from '../../platform/postgres/index.js';
import { createLifecycle } from '../../platform/process/index.js';
import { prepareSchema } from './schema.js';

/** One transaction at a time. */
const RESTORE_CONNECTIONS = 2;

export interface RestoreOptions {
  readonly log: Log;
  readonly onProgress?: (seq: bigint) => void;
}

/** Brings the database's control log up to what was published; starts only what is embedded. Rejects with a `RescindError`. */
export async function restoreFromTopic(config: Config, { log, onProgress }: RestoreOptions): Promise<Restored> {
  const lifecycle = createLifecycle(log);
  try {
    await mkdir(config.home, { recursive: true, mode: 0o700 });
    const [url, { servers, problem }] = await Promise.all([
      startDatabase(config, log, lifecycle),
      startKafka(config, log, lifecycle),
    ]);
    if (!servers) throw new RescindError('kafka-unavailable', problem === undefined ? {} : { detail: problem });
    const pool = createPool({
      url,
      max: RESTORE_CONNECTIONS,
      applicationName: 'rescind-restore',
      onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost'),
    });
    lifecycle.onStop('database pool', () => pool.end());
    await checkServer(pool);
    await prepareSchema(config, url);
    const keys = createTopicKeys({ pool, home: config.home, configured: config.controlTopicKey });
    return await restoreControlLog({
      kafka: createKafka({ ...servers, clientId: 'rescind-restore', log }),
      pool,
      keys,
      prefix: config.topicPrefix,
      ...(onProgress ? { onProgress } : {}),
    });
  } finally {
    await lifecycle.stop('restored');
  }
}
