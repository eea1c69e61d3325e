import { setTimeout as delay } from 'node:timers/promises';
import { RescindError } from '../contracts/index.js';
import type { Config } from '../platform/config/index.js';
import { STOP_DEADLINE_MS, type Lifecycle } from '../platform/process/index.js';
import type { StartOptions } from './parts.js';

/** A node leaves when its guards' grants have ended: within its lease. */
const LEAVING_MARGIN_MS = 500;
/** Milliseconds that a start that was stopped may still take to notice it. */
const ABORTED_START_MS = 500;
const STOPPED = Symbol('stopped');

/** Facts about a running process that it can tell another. */
export interface RunningFacts {
  readonly url: string;
  /** The key of the caller `admin`, from the file that the first start wrote; undefined when the file is elsewhere. */
  readonly adminKey: string | undefined;
  readonly adminKeyPath: string;
  /** Whether this start made the administrator: say where its key lies, once. */
  readonly firstStart: boolean;
  /** Address of the console; null if this process does not serve it. */
  readonly consoleUrl: string | null;
  /** Opens the console as the administrator, once; null except at the first start. */
  readonly signInLink: string | null;
  /** null: HTTP intake alone. */
  readonly brokers: readonly string[] | null;
}

export interface RunningRescind extends RunningFacts {
  /** Why there is no Kafka, for people; undefined when there is or when none was wanted. */
  readonly kafkaProblem: string | undefined;
  /** Resolves when a stop that anybody began has ended. */
  readonly stopped: Promise<unknown>;
  /** Why it stopped by itself; undefined if it was asked to. */
  failure(): RescindError | undefined;
  stop(): Promise<void>;
}

/** Runs `starting`. A stop that begins meanwhile ends the start: what it has started is stopped, and nothing more is started. */
export async function startWith(
  config: Config,
  { signals = false, abortStart }: StartOptions,
  lifecycle: Lifecycle,
  starting: () => Promise<RunningRescind>,
): Promise<RunningRescind> {
  if (signals)
    lifecycle.ownProcess({
      exit: () => process.exit(1),
      deadlineMs: Math.max(STOP_DEADLINE_MS, config.leaseMs + LEAVING_MARGIN_MS),
    });
  const onAbort = (): void => void lifecycle.stop('asked to');
  abortStart?.addEventListener('abort', onAbort);
  try {
    return await unlessStopped(lifecycle, starting());
  } catch (cause) {
    // An error that a start meets because its parts are stopped under it is no reason.
    const error = lifecycle.stopping.aborted ? new RescindError('shutting-down', { cause }) : cause;
    await lifecycle.stop('the start failed');
    throw lifecycle.failure ?? error;
  } finally {
    abortStart?.removeEventListener('abort', onAbort);
  }
}

/** A start may wait for what does not come, such as a database that is away. */
async function unlessStopped<T>(lifecycle: Lifecycle, starting: Promise<T>): Promise<T> {
  const stopped = lifecycle.stopped.then(() => delay(ABORTED_START_MS, undefined, { ref: false }));
  const first = await Promise.race([starting, stopped.then(() => STOPPED)]);
  if (first !== STOPPED && !lifecycle.stopping.aborted) return first as T;
  starting.catch(() => undefined);
  throw new RescindError('shutting-down');
}

export const endOf = (lifecycle: Lifecycle): Pick<RunningRescind, 'stopped' | 'failure' | 'stop'> => ({
  stopped: lifecycle.stopped,
  failure: () => lifecycle.failure,
  stop: async () => void (await lifecycle.stop('asked to')),
});
