import { setTimeout as pause } from 'node:timers/promises';
import { RescindError } from '../contracts/index.js';
import type { Backlog } from './spool/backlog.js';
import { backoffMs, type RetryOptions } from './backoff.js';
import { SendFailed, type Transport, type Verdict } from './transport/transport.js';
import type { BatchLimits, WaitingEvent } from './spool/waiting-event.js';
import { createWaker } from './waker.js';

export interface PumpOptions {
  readonly backlog: Backlog;
  readonly transport: Transport;
  readonly limits: BatchLimits;
  readonly flushMs: number;
  readonly retry: RetryOptions;
  /** Called after the event has left the backlog. MUST NOT throw. */
  readonly onSettled: (event: WaitingEvent, verdict: Verdict) => void;
  /** Called when events have been settled, by a verdict or because they are damaged. */
  readonly onProgress: () => void;
  /** Called for each failed attempt. */
  readonly onFailed: (error: SendFailed) => void;
  /** Called for the first failure, and when the reason changes. */
  readonly onAway: (error: SendFailed) => void;
  readonly onBack: (failures: number) => void;
}

/** Carries events from the backlog to the other side, one batch at a time, until each is settled. */
export interface Pump {
  readonly attempts: number;
  readonly failures: number;
  /** Why the last attempt failed; undefined if it succeeded. */
  readonly lastFailure: SendFailed | undefined;
  /** Says that an event was pushed. */
  nudge(): void;
  /** Sends everything up to this `seq` without waiting for more events. */
  hurry(upTo: number): void;
  /** Stops the loop. Resolves when no attempt is under way whose outcome would still be used. */
  stop(): Promise<void>;
}

/** Milliseconds without an answer after which events start to move to the spool, as if the other side were away. */
const SLOW_MS = 1_000;

export function createPump(options: PumpOptions): Pump {
  const { backlog, transport, limits, flushMs } = options;
  const waker = createWaker();
  const stopping = new AbortController();
  let [attempts, failures, inARow, hurried] = [0, 0, 0, 0];
  let maxEvents = limits.maxEvents;
  let lastFailure: SendFailed | undefined;
  /** The batch that failed last. It is sent again as it was, because its signature covers exactly these events. */
  let again: readonly WaitingEvent[] | undefined;

  /** Computes the milliseconds until the next batch is due; undefined if nothing waits. */
  function dueInMs(): number | undefined {
    if (backlog.size === 0) return undefined;
    const isDue = backlog.size >= limits.maxEvents || backlog.inMemory < backlog.size || hurried > backlog.settled;
    if (isDue) return 0;
    // A clock that was set back must not delay anything.
    const waited = Math.max(0, Date.now() - (backlog.oldestAt ?? 0));
    return Math.max(0, flushMs - waited);
  }

  async function attempt(batch: readonly WaitingEvent[]): Promise<readonly Verdict[] | SendFailed> {
    attempts++;
    const slow = setTimeout(() => backlog.setAway(true), SLOW_MS);
    try {
      const verdicts = await unlessAborted(
        transport.send(
          batch.map(({ text }) => text),
          stopping.signal,
        ),
        stopping.signal,
      );
      if (verdicts.length === batch.length) return verdicts;
      return new SendFailed('emit-failed', 'away', {
        detail: `${transport.name} gave ${verdicts.length} verdicts on ${batch.length} events`,
      });
    } catch (error) {
      return error instanceof SendFailed
        ? error
        : new SendFailed('emit-failed', 'away', { detail: `${transport.name} failed`, cause: error });
    } finally {
      clearTimeout(slow);
    }
  }

  function settle(batch: readonly WaitingEvent[], verdicts: readonly Verdict[]): void {
    if (lastFailure !== undefined && lastFailure.reason !== 'divisible') options.onBack(inARow);
    [lastFailure, inARow] = [undefined, 0];
    backlog.acknowledge(batch.at(-1)!.seq);
    backlog.setAway(false);
    batch.forEach((event, at) => options.onSettled(event, verdicts[at]!));
    maxEvents = Math.min(limits.maxEvents, maxEvents * 2);
  }

  /** Halves the batch until the event at fault is alone, and then refuses that event. */
  function divide(batch: readonly WaitingEvent[], { code, detail }: SendFailed): void {
    if (batch.length > 1) maxEvents = Math.ceil(batch.length / 2);
    else settle(batch, [{ taken: false, code, ...(detail === undefined ? {} : { detail }) }]);
  }

  async function waitBeforeNext(failure: SendFailed): Promise<void> {
    failures++;
    inARow++;
    if (lastFailure?.code !== failure.code) options.onAway(failure);
    lastFailure = failure;
    options.onFailed(failure);
    backlog.setAway(true);
    const ms = backoffMs(inARow, options.retry, failure.retryAfterMs, Math.random);
    await pause(ms, undefined, { signal: stopping.signal }).catch(() => undefined);
  }

  async function takeBatch(): Promise<readonly WaitingEvent[] | SendFailed> {
    try {
      return await backlog.take({ maxEvents, maxBytes: limits.maxBytes });
    } catch (cause) {
      return new SendFailed('internal', 'away', { detail: 'the spool cannot be read', cause });
    }
  }

  async function sendOnce(): Promise<void> {
    const batch = again ?? (await takeBatch());
    again = undefined;
    if (batch instanceof SendFailed) return waitBeforeNext(batch);
    if (batch.length === 0) return;
    const outcome = await attempt(batch);
    if (!(outcome instanceof SendFailed)) settle(batch, outcome);
    else if (stopping.signal.aborted) return;
    else if (outcome.reason === 'divisible') divide(batch, outcome);
    else {
      again = batch;
      await waitBeforeNext(outcome);
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const dueMs = dueInMs();
      if (dueMs !== 0) await waker.sleep(dueMs);
      else await sendOnce().then(options.onProgress);
    }
  }

  const running = run();
  return {
    get attempts() {
      return attempts;
    },
    get failures() {
      return failures;
    },
    get lastFailure() {
      return lastFailure;
    },
    nudge() {
      if (backlog.size === 1 || backlog.size >= limits.maxEvents) waker.wake();
    },
    hurry(upTo) {
      hurried = Math.max(hurried, upTo);
      waker.wake();
    },
    async stop() {
      stopping.abort();
      waker.wake();
      await running;
    },
  };
}

/**
 * Rejects with `shutting-down` on abort, even if a transport does not give up. A race with one long-lived promise would keep every attempt
 * in memory.
 */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new RescindError('shutting-down'));
    signal.addEventListener('abort', abort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
