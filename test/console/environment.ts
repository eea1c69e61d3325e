import { TestEnvironment } from 'jest-environment-node';
import { type Browser, chromium } from 'playwright-core';
import type { BrowserOfWorker } from './open-console.js';

/** A worker that has no further file must end; one that has begins it within a few milliseconds. */
const IDLE_MS = 200;

let browser: Promise<Browser> | undefined;
let idle: NodeJS.Timeout | undefined;
const ofWorker: BrowserOfWorker = {
  connect: () => (browser ??= chromium.connect(process.env['TEST_BROWSER']!)),
  kept: undefined,
};

/**
 * Lets all files of a worker share one connection to the browser, one page, and the driver: jest evaluates what a spec imports anew for
 * each file, and the driver alone takes half a second of processor.
 */
export default class ConsoleEnvironment extends TestEnvironment {
  override async setup(): Promise<void> {
    clearTimeout(idle);
    await super.setup();
    this.global['browserOfWorker'] = ofWorker;
  }

  override async teardown(): Promise<void> {
    // jest empties what it finds there.
    delete this.global['browserOfWorker'];
    idle = setTimeout(disconnect, IDLE_MS);
    await super.teardown();
  }
}

async function disconnect(): Promise<void> {
  const connected = browser;
  browser = undefined;
  ofWorker.kept = undefined;
  await (await connected)?.close();
}
