import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { BrowserServer } from 'playwright-core';

const RESCIND = 'dist/cli/rescind.js';
/** Nine days have all incidents of the made-up organisation. */
const HISTORY = ['--events', '8000', '--days', '9'];

export interface ConsoleRun {
  stop(): Promise<void>;
}

declare global {
  var rescindConsoleRun: ConsoleRun | undefined;
}

/** One built service on a seeded organisation and one browser, for all specs of this folder. They find both through `open-console.ts`. */
export default async function startConsole(): Promise<void> {
  spawnSync(process.execPath, ['test/support/build-if-older.mjs'], { stdio: 'ignore' });
  const home = mkdtempSync(join(tmpdir(), `rescind-test-${process.pid}-`));
  const env = {
    ...process.env,
    RESCIND_HOME: home,
    KAFKA_BROKERS: 'none',
    PORT: '0',
    LOG_LEVEL: 'error',
    CHANNEL_ALLOWED_HOSTS: '127.0.0.1',
  };
  const starting = startBrowser();
  await promisify(execFile)(process.execPath, [RESCIND, 'seed', ...HISTORY], { env });
  const service = await serveBuilt(env);
  const browser = await starting;
  process.env['TEST_CONSOLE_URL'] = service.url;
  process.env['TEST_CONSOLE_HOME'] = home;
  process.env['TEST_CONSOLE_KEY'] = readFileSync(join(home, 'admin-key'), 'utf8').trim();
  process.env['TEST_BROWSER'] = browser.wsEndpoint();
  globalThis.rescindConsoleRun = {
    async stop() {
      await browser.close();
      await service.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Starts the built program, and waits until it answers. */
export async function serveBuilt(env: NodeJS.ProcessEnv): Promise<ConsoleRun & { readonly url: string }> {
  const service = spawn(process.execPath, [RESCIND, 'serve'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  return {
    url: await addressOf(service),
    async stop() {
      const ended = once(service, 'exit');
      service.kill('SIGTERM');
      await ended;
    },
  };
}

/** npm brings the browser: nothing is downloaded or installed beside it. */
export async function startBrowser(): Promise<BrowserServer> {
  const { default: carried } = await import('@sparticuz/chromium');
  const { chromium } = await import('playwright-core');
  const executablePath = await carried.executablePath();
  return chromium.launchServer({ executablePath, args: ['--no-sandbox'] });
}

async function addressOf(service: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: service.stdout! })) {
    const [, address] = /^Rescind answers at (\S+)/.exec(line) ?? [];
    if (address !== undefined) return address;
  }
  throw new Error('the service ended before it answered');
}
