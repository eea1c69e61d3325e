import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config } from '../platform/config/index.js';
import { startEmbeddedPostgres } from '../platform/embedded/index.js';
import { type Log } from '../platform/log/index.js';
import { createLifecycle } from '../platform/process/index.js';
import { findInSeeded, type Found } from './found.js';
import { seedOrganisation, type Seeded, type SeedOptions } from './seed-organisation.js';

export interface RunSeedOptions extends Omit<SeedOptions, 'databaseUrl' | 'home' | 'log'> {
  readonly config: Config;
  readonly log: Log;
  /** Called when the history is written and the detections begin to read it. */
  readonly onFinding?: () => void;
}

/**
 * Seeds the database that the configuration names, and looks for findings in it. If the configuration names none, starts the embedded one for the
 * run.
 */
export async function runSeed({
  config,
  log,
  onFinding,
  ...options
}: RunSeedOptions): Promise<Seeded & { readonly found: Found }> {
  const lifecycle = createLifecycle(log);
  lifecycle.ownProcess({ exit: () => process.exit(1) });
  try {
    await mkdir(config.home, { recursive: true, mode: 0o700 });
    const databaseUrl = await databaseOf(config, log, (stop) => lifecycle.onStop('embedded PostgreSQL', stop));
    const seeded = await seedOrganisation({ ...options, databaseUrl, home: config.home, log });
    onFinding?.();
    return { ...seeded, found: await findInSeeded(databaseUrl, seeded.tenant, log) };
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
