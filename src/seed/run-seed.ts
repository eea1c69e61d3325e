import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config } from '../platform/config/index.js';
import { startEmbeddedPostgres } from '../platform/embedded/index.js';
import { type Log } from '../platform/log/index.js';
import { createLifecycle } from '../platform/process/index.js';
import { seedOrganisation, type Seeded, type SeedOptions } from './seed-organisation.js';

/** Seeds the database that the configuration names. If it names none, starts the embedded one for the run. */
export async function runSeed({
  config,
  log,
  ...options
}: { readonly config: Config; readonly log: Log } & Omit<
  SeedOptions,
  'databaseUrl' | 'home' | 'log'
>): Promise<Seeded> {
  const lifecycle = createLifecycle(log);
  lifecycle.ownProcess({ exit: () => process.exit(1) });
  try {
    await mkdir(config.home, { recursive: true, mode: 0o700 });
    const databaseUrl = await databaseOf(config, log, (stop) => lifecycle.onStop('embedded PostgreSQL', stop));
    return await seedOrganisation({ ...options, databaseUrl, home: config.home, log });
  } finally {
    await lifecycle.stop('seeded');
  }
}

async function databaseOf(config: Config, log: Log, onStop: (stop: () => Promise<void>) => void): Promise<string> {
  if (config.database !== 'embedded') return config.database.url.reveal();
  const postgres = await startEmbeddedPostgres({ directory: join(config.home, 'postgres'), log });
  onStop(() => postgres.stop());
  return postgres.url;
}
