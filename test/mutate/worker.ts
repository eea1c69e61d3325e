import { register } from 'node:module';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { addEventHandler, getState, resetState, run } from 'jest-circus';
import type { Settings, Task } from './hooks.js';
import { jest } from './jest-globals.js';

/** A run of some specs, as `pool.ts` asks for it. */
export interface Request {
  readonly root: string;
  readonly swc: Settings['swc'];
  readonly specs: readonly string[];
  readonly task: Task;
  readonly testTimeoutMs: number;
  /** Whether to stop at the first test that fails. */
  readonly bail: boolean;
}

export interface Reply {
  readonly specs: readonly Ran[];
}

/** Sent before each spec of a request. */
export interface Started {
  readonly started: string;
}

export interface Ran {
  readonly path: string;
  readonly ms: number;
  /** Processor time that it used. */
  readonly cpuMs: number;
  /** The first test that failed. */
  readonly failed: string | undefined;
  /** Mutants whose places the spec reached. */
  readonly reached: readonly number[];
}

const { port1: port, port2: hooksPort } = new MessageChannel();
let isRegistered = false;
let runs = 0;

// Specs may leave something behind, above all where a line was broken; it fails the test that runs, as in jest, and does not end the worker.
for (const name of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(name, (error: unknown) => void getState().currentlyRunningTest?.errors.push(error as Error));
}

let isBailing = false;
let hasFailed = false;
addEventHandler((event) => {
  if (event.name === 'test_done' && event.test.errors.length > 0) hasFailed = true;
  if (event.name === 'test_start' && isBailing && hasFailed) event.test.mode = 'skip';
});

process.on('message', (request: Request) => {
  void runSpecs(request)
    .then((reply) => process.send!(reply))
    .catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
});

async function runSpecs({ root, swc, specs, task, testTimeoutMs, bail }: Request): Promise<Reply> {
  if (!isRegistered) {
    const data: Settings = { root, swc, globals: new URL('./jest-globals.js', import.meta.url).href, port: hooksPort };
    register('./hooks.js', import.meta.url, { data, transferList: [hooksPort] });
    isRegistered = true;
  }
  port.postMessage(task, []);
  await once(port, 'message');
  isBailing = bail;
  const done: Ran[] = [];
  for (const spec of specs) {
    process.send!({ started: spec } satisfies Started);
    const ran = await runSpec(spec, testTimeoutMs);
    done.push(ran);
    if (bail && ran.failed !== undefined) break;
  }
  return { specs: done };
}

async function runSpec(path: string, testTimeoutMs: number): Promise<Ran> {
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  const reached = new Set<number>();
  (globalThis as { mutateReached?: Set<number> }).mutateReached = reached;
  hasFailed = false;
  runs++;
  resetState();
  getState().testTimeout = testTimeoutMs;
  const failed = await firstFailure(`${pathToFileURL(path).href}?run=${runs}`);
  jest.useRealTimers();
  jest.restoreAllMocks();
  const { user, system } = process.cpuUsage(cpuBefore);
  return { path, ms: performance.now() - startedAt, cpuMs: (user + system) / 1000, failed, reached: [...reached] };
}

async function firstFailure(url: string): Promise<string | undefined> {
  try {
    await import(url);
    const { testResults, unhandledErrors } = await run();
    const failed = testResults.find(({ errors }) => errors.length > 0);
    if (failed !== undefined) return failed.testPath.slice(1).join(' ');
    return unhandledErrors.length > 0 ? 'outside of a test' : undefined;
  } catch (error) {
    return `the spec could not be run: ${String(error).slice(0, 300)}`;
  }
}
