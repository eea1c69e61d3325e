import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Lease, Moment } from '../../lease/index.js';
import type { Log } from '../../platform/log/index.js';
import type { ControlLog } from '../log/control-log.pg.js';
import { UnknownRecordVersion, type ControlState } from '../state/state.js';
import { createControlSession } from './control-session.pg.js';
import { LEAVING_CYCLE_MS } from './guards.js';
import { AnotherHistory, createLogReader, type LogReader } from './log-reader.pg.js';
import type { Membership } from './membership.pg.js';

const RECONNECT_MS = 250;

/** The cycle of a node: join, read the control log, acknowledge, renew. Only its own session does these, in this order. */
export interface NodeCycle {
  readonly reader: LogReader;
  /** Runs cycles until the node has left. Calls `started` after each cycle that caught up, and `refused` if the log cannot be read. */
  run(started: () => void, refused: (error: Error) => void): Promise<void>;
  /** Makes the next cycle follow at once. */
  wake(): void;
  /** Ends the node's answers, and then the cycles, when the last guard's grant has ended. */
  stop(): void;
  /** Why the log cannot be followed any more; the node never answers again. */
  readonly unreadable: UnknownRecordVersion | AnotherHistory | undefined;
  readonly isStopping: boolean;
  readonly isConnected: boolean;
}

export interface NodeCycleOptions {
  readonly url: string;
  readonly timeoutMs: number;
  readonly serves: boolean;
  readonly cycleMs: number;
  readonly controlLog: ControlLog;
  readonly state: ControlState;
  readonly lease: Lease;
  readonly clock: () => Moment;
  readonly membership: Membership;
  readonly log: Log;
}

export function createNodeCycle(options: NodeCycleOptions): NodeCycle {
  const { url, timeoutMs, serves, cycleMs, lease, clock, membership, log } = options;
  const reader = createLogReader({ ...options, sayHowFar });
  let unreadable: UnknownRecordVersion | AnotherHistory | undefined;
  let isStopping = false;
  let isWoken = false;
  let wakeLoop: () => void = () => undefined;

  const following = createControlSession({
    url,
    channel: 'rescind_control',
    timeoutMs,
    onNotify: wake,
    onLost(error) {
      if (!isStopping) log.warn({ err: error }, 'lost the database session that follows the control log; reconnecting');
      wake();
    },
  });

  function wake(): void {
    isWoken = true;
    wakeLoop();
  }

  /**
   * Acknowledges what is applied, and renews if that is due. After a slice this is safe too: the other records of the read are not
   * confirmed yet, so their orders keep waiting.
   */
  async function sayHowFar(session: Client): Promise<void> {
    await membership.acknowledge(session);
    // A node that cannot apply a record must not renew: the order of that record waits for the lease to end.
    if (!unreadable) await membership.renewWhenDue(session);
  }

  const isLeaving = (): boolean => isStopping || unreadable !== undefined;
  const isStranger = (): boolean => serves && !isLeaving() && lease.row === undefined;

  /** Joins if necessary, reads, acknowledges and renews once. Returns whether another cycle must follow at once. */
  async function cycle(): Promise<boolean> {
    const session = await following.open();
    if (isStranger()) await membership.join(session);
    const toTheEnd = unreadable !== undefined || (await reader.read(session));
    await sayHowFar(session);
    return !toTheEnd || isStranger();
  }

  async function run(started: () => void, refused: (error: Error) => void): Promise<void> {
    // On `AnotherHistory` the loop ends at once: a confirmed seq would count for records of the other log, which this process never saw.
    while (!(unreadable instanceof AnotherHistory || (isLeaving() && lease.mayGo(clock())))) {
      const woken = new Promise<void>((resolve) => {
        wakeLoop = resolve;
      });
      isWoken = false;
      try {
        if (await cycle()) continue;
        started();
      } catch (error) {
        log.error({ err: error }, 'the control log could not be followed');
        if (error instanceof UnknownRecordVersion || error instanceof AnotherHistory) {
          // Only another release or a fresh start can read the log, and its orders may have to wait for this node to leave.
          unreadable = error;
          lease.leave();
          refused(error);
          continue;
        }
        following.drop();
        await delay(RECONNECT_MS);
        continue;
      }
      if (!isWoken) await idle(woken);
    }
    await leaveRow();
    await following.close();
  }

  async function idle(woken: Promise<void>): Promise<void> {
    const abort = new AbortController();
    const ms = isLeaving() ? LEAVING_CYCLE_MS : lease.row === undefined ? cycleMs : membership.dueInMs();
    await Promise.race([woken, delay(ms, undefined, { ref: false, signal: abort.signal }).catch(() => undefined)]);
    abort.abort();
  }

  async function leaveRow(): Promise<void> {
    if (!following.isOpen) return;
    try {
      await membership.leave(await following.open());
    } catch (error) {
      // One order waits L for the row, as after a crash.
      log.warn({ err: error }, 'cannot delete the row of this node; an order waits for its lease to end, once');
    }
  }

  return {
    reader,
    run,
    wake,
    stop() {
      isStopping = true;
      lease.leave();
      wake();
    },
    get unreadable() {
      return unreadable;
    },
    get isStopping() {
      return isStopping;
    },
    get isConnected() {
      return following.isOpen;
    },
  };
}
