import { setTimeout as delay } from 'node:timers/promises';
import { RescindError, type ErrorCode } from '../../contracts/index.js';
import type { Log } from '../log/index.js';
import type { ServiceProcess } from './service-process.js';

/** Delays before each attempt to restart a service that ended by itself. After the last attempt the service is given up. */
const RESTART_DELAYS_MS: readonly number[] = [0, 1_000, 2_000, 4_000, 8_000];
/** A service that ran for so long counts as well: if it ends again, all attempts are available again. */
const WELL_AFTER_MS = 60_000;

/** Handles a service that ends although nobody stopped it. */
export interface Supervision {
  /** Called if the service could not be restarted; ends the process in order. */
  onGivenUp(error: RescindError): void;
  /** Takes a line for the operator. Default: the log. */
  readonly say?: (line: string) => void;
}

export interface SupervisedOptions extends Supervision {
  /** The service's name for the operator, such as PostgreSQL. */
  readonly name: string;
  readonly code: ErrorCode;
  readonly first: ServiceProcess;
  /** Restarts the service at the same address. MUST reject soon after `signal` aborts, and leave nothing behind when it rejects. */
  readonly restart: (signal: AbortSignal) => Promise<ServiceProcess>;
  readonly log: Log;
  readonly delaysMs?: readonly number[];
  readonly wellAfterMs?: number;
}

export interface SupervisedService {
  /** Pid of the process that runs, or that ran last. */
  readonly pid: number;
  /** Stops the service, even in the middle of a restart, and restarts it no more. */
  stop(): Promise<void>;
}

/** Watches a running service and restarts it if it ends by itself, a bounded number of times. */
export function superviseService(options: SupervisedOptions): SupervisedService {
  const { name, log, delaysMs = RESTART_DELAYS_MS, wellAfterMs = WELL_AFTER_MS } = options;
  const stopping = new AbortController();
  let current = options.first;
  let tries = 0;

  const say = (level: 'warn' | 'error', members: object, line: string): void => {
    if (options.say === undefined) log[level](members, line);
    else options.say(line);
  };

  async function watch(): Promise<void> {
    for (;;) {
      const startedAt = performance.now();
      const how = await current.exited;
      if (stopping.signal.aborted) return;
      if (performance.now() - startedAt >= wellAfterMs) tries = 0;
      say('error', { service: name, pid: current.pid, how }, `${name} ended unexpectedly; starting it again`);
      log.debug({ service: name, lines: current.lastLines() }, 'the last lines of a service that ended');
      if (!(await startAgain(how))) return;
      say('warn', { service: name, pid: current.pid }, `${name} runs again`);
    }
  }

  async function startAgain(how: string): Promise<boolean> {
    let problem = `it ended with ${how}`;
    while (tries < delaysMs.length) {
      await delay(delaysMs[tries], undefined, { signal: stopping.signal }).catch(() => undefined);
      tries += 1;
      if (stopping.signal.aborted) return false;
      try {
        current = await options.restart(stopping.signal);
        if (!stopping.signal.aborted) return true;
        await current.stop();
        return false;
      } catch (error) {
        if (stopping.signal.aborted) return false;
        problem = error instanceof Error ? error.message : 'it did not start';
        log.debug({ service: name, attempt: tries, err: error }, 'an attempt to restart a service failed');
      }
    }
    options.onGivenUp(
      new RescindError(options.code, {
        detail: `${name} ended and could not be kept running in ${delaysMs.length} tries: ${problem}`,
      }),
    );
    return false;
  }

  const watching = watch();
  return {
    get pid() {
      return current.pid;
    },
    async stop() {
      stopping.abort();
      await current.stop();
      await watching;
    },
  };
}
