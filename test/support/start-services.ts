import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type * as Embedded from '../../src/platform/embedded/index.js';
import type * as Logging from '../../src/platform/log/index.js';

const PREFIX = 'rescind-test-';

declare global {
  var rescindTestServices: { directory: string; postgres: Embedded.EmbeddedPostgres; kafka: Embedded.LocalKafka } | undefined;
}

/**
 * One PostgreSQL and one Kafka for the whole run, in a temporary directory. Specs find them through `test/support/services.ts`. When
 * the run is interrupted, the platform's guard ends both and the next run removes what they left.
 */
export default async function startServices(): Promise<void> {
  removeLeftovers();
  // jest loads this file as CommonJS and cannot follow the sources' imports from here, so the services come from the build.
  build();
  const { createLog } = (await import(resolve('dist/platform/log/index.js'))) as typeof Logging;
  const { startEmbeddedPostgres, startLocalKafka } = (await import(resolve('dist/platform/embedded/index.js'))) as typeof Embedded;
  const log = createLog({ level: 'warn' });
  const directory = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const [postgres, kafka] = await Promise.allSettled([
    startEmbeddedPostgres({ directory: join(directory, 'postgres'), log }),
    startLocalKafka({ directory: join(directory, 'kafka'), libraries: resolve('node_modules/.cache/rescind-kafka'), log }),
  ]);
  if (postgres.status === 'rejected' || kafka.status === 'rejected') {
    if (postgres.status === 'fulfilled') await postgres.value.stop();
    if (kafka.status === 'fulfilled') await kafka.value.stop();
    rmSync(directory, { recursive: true, force: true });
    throw postgres.status === 'rejected' ? postgres.reason : (kafka as PromiseRejectedResult).reason;
  }
  process.env['TEST_DATABASE_URL'] = postgres.value.url;
  process.env['TEST_KAFKA_BROKERS'] = kafka.value.brokers.join(',');
  globalThis.rescindTestServices = { directory, postgres: postgres.value, kafka: kafka.value };
}

function build(): void {
  const built = resolve('dist/platform/embedded/index.js');
  // All of them: specs that kill a process run the build too.
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).map((name) => join('src', name));
  const newest = Math.max(...sources.map((path) => statSync(path).mtimeMs));
  const marker = resolve('dist/.tsbuildinfo');
  if (!existsSync(built) || !existsSync(marker) || statSync(marker).mtimeMs < newest) {
    // A type error elsewhere does not stop the compiler from writing; `npm run typecheck` is where it is reported.
    spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { stdio: 'ignore' });
    spawnSync(process.execPath, ['test/support/copy-assets.mjs']);
  }
}

function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
