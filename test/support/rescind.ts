import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRescind, type RunningRescind } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import type { Cleanups } from './cleanups.js';
import { createMigratedDatabase, testLog, type TestDatabase } from './services.js';

export interface OwnRescind {
  readonly rescind: RunningRescind;
  readonly database: TestDatabase;
  /** Its directory, where the command line finds the administrator's key. */
  readonly home: string;
}

/** Starts the whole service in this process, without Kafka, on an empty database and in a directory of its own. */
export async function startOwnRescind(
  cleanups: Pick<Cleanups, 'push'>,
  {
    env = {},
    ...options
  }: Omit<Parameters<typeof startRescind>[1], 'log'> & { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<OwnRescind> {
  const database = await createMigratedDatabase();
  cleanups.push(() => database.drop());
  const home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
  cleanups.push(() => rm(home, { recursive: true, force: true }));
  const config = readConfig({
    RESCIND_HOME: home,
    PORT: '0',
    DATABASE_URL: database.url,
    KAFKA_BROKERS: 'none',
    LOG_LEVEL: 'silent',
    ...env,
  });
  const rescind = await startRescind(config, { ...options, log: testLog() });
  cleanups.push(() => rescind.stop());
  return { rescind, database, home };
}
