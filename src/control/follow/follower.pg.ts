import { setTimeout as delay } from 'node:timers/promises';
import { RescindError } from '../../contracts/index.js';
import { createLease, createLeaseClock, LEASE_FRACTION, type Confirmed } from '../../lease/index.js';
import type { Log } from '../../platform/log/index.js';
import type { ControlLog } from '../log/control-log.pg.js';
import { createControlSession } from './control-session.pg.js';
import { createGuards, type Guards } from './guards.js';
import { createInForce, type InForce, type InForceOptions } from './in-force.js';
import { createMembership } from './membership.pg.js';
import { createNodeRows, readAcknowledgement } from './node-rows.pg.js';
import type { ControlRecord, Seq } from '../log/records.js';
import { AnotherHistory } from './log-reader.pg.js';
import { createNodeCycle } from './node-cycle.pg.js';
import { createControlState, type ControlState } from '../state/state.js';
import type { Settled } from './waits.js';

/** L of the lease protocol, milliseconds. A longer L bridges a longer outage of the database; a shorter L ends the wait for a dead node sooner. */
export const DEFAULT_LEASE_MS = 4_000;
export const MIN_LEASE_MS = 2_000;
export const MAX_LEASE_MS = 30_000;

/** How often a node reads and renews, and a waiter reads the rows, when nothing wakes them; at most L / 4. */
const CYCLE_MS = 500;

/** A statement that takes longer than this counts as a lost database; at most L / 2. */
const QUERY_TIMEOUT_MS = 2_000;
/** How long beyond L an order waits to be in force before it is answered 503 and may be retried. */
const IN_FORCE_MARGIN_MS = 6_000;

/** How far the wall clock may be from the database's before the node is not ready: `exp` and compaction use the wall clock. */
const CLOCK_DIFFERENCE_LIMIT_MS = 2_000;

export interface ControlFollower {
  readonly state: ControlState;
  /**
   * Connects, joins and catches up; resolves when everything committed before the call is applied. Reconnects on its own.
   * Rejects if it meets a record of a version that this release cannot read. If it meets such a record later, it stops following
   * and is never current again.
   */
  start(): Promise<void>;
  /** Says whether this process may answer *active* now. Call it in the same synchronous step as the decision. */
  isCurrent(): boolean;
  /** Says why the process is not ready, for `/health/ready`; undefined if it is ready. */
  notCurrentReason(): string | undefined;
  /** Says whether another control log, as that of an old backup, took the place of the followed one: this process is never current again. */
  isReplaced(): boolean;
  /** Resolves when the record is applied in this process, whether or not its order may be answered yet. */
  whenApplied(seq: Seq): Promise<void>;
  /**
   * Resolves when no node and no guard answers *active* against the record any more, and the record is applied here. Throws
   * `not-confirmed` if it cannot tell in time; the same call again waits again. Any process may wait. If the record's tenant is
   * given, guards of other tenants are not waited for: the record does not concern them.
   */
  whenInForce(seq: Seq, tenant?: string): Promise<Confirmed>;
  /**
   * Waits like `whenInForce` for a record of the tenant that is applied here, and tells of each node that confirms, or whose row is gone, at
   * once. For people who watch: an order waits by `whenInForce`.
   */
  watchInForce(seq: Seq, tenant: string, onSettling: (settled: Settled) => void): Promise<Confirmed>;
  /** Returns figures for metrics; they decide nothing. */
  measured(): Measured;
  /**
   * Reads the seq up to which every record of the tenant is in force now, without waiting. A node that is just joining has
   * confirmed little, so the answer may lag behind what another process confirmed, but it never runs ahead. Throws
   * `database-unavailable` if the rows cannot be read.
   */
  inForceUpTo(tenant: string): Promise<Seq>;
  /** Registers a listener that is called after records were applied. Records that a start takes from a snapshot are not announced. */
  onApplied(listener: (records: readonly ControlRecord[]) => void): void;
  readonly guards: Guards;
  /** Leaves the deployment: at once, or, with guards, when the last guard's grant has ended, which takes f L at most. */
  stop(): Promise<void>;
}

export interface Measured {
  /** 0 if this process may not answer. */
  readonly leaseRemainingMs: number;
  /** The least possible difference between this host's wall clock and the database's; undefined until measured, and in a process that does not serve. */
  readonly clockDifferenceMs: number | undefined;
  /** Nodes in the deployment when the rows were last read; undefined before the first read. */
  readonly nodes: number | undefined;
  /** Guards under the leases of these nodes. */
  readonly guards: number | undefined;
}

export interface FollowerOptions {
  readonly url: string;
  readonly controlLog: ControlLog;
  readonly log: Log;
  /** Whether this process answers introspection. A process that does not answer never joins, but it may wait for the nodes. */
  readonly serves: boolean;
  /** `MIN_LEASE_MS` to `MAX_LEASE_MS`; processes of one deployment may differ. */
  readonly leaseMs?: number;
  /** Called when a record is in force, with the nodes that settled the wait. */
  readonly onSettled?: InForceOptions['onSettled'];
}

export function createControlFollower({
  url,
  controlLog,
  log,
  serves,
  leaseMs = DEFAULT_LEASE_MS,
  onSettled,
}: FollowerOptions): ControlFollower {
  if (!(leaseMs >= MIN_LEASE_MS && leaseMs <= MAX_LEASE_MS))
    throw new RangeError(`leaseMs must be ${MIN_LEASE_MS} to ${MAX_LEASE_MS}`);
  const cycleMs = Math.min(CYCLE_MS, leaseMs / 4);
  const timeoutMs = Math.min(QUERY_TIMEOUT_MS, leaseMs / 2);
  const inForceTimeoutMs = leaseMs + IN_FORCE_MARGIN_MS;
  const state = createControlState();
  const clock = createLeaseClock();
  const lease = createLease({ leaseMs, fraction: LEASE_FRACTION });
  const membership = createMembership({ lease, clock, leaseMs, cycleMs, log });
  const cycle = createNodeCycle({ url, timeoutMs, serves, cycleMs, controlLog, state, lease, clock, membership, log });
  let running: Promise<void> = Promise.resolve();
  let inForce: InForce | undefined;

  // Waits use a second session: a deletion that waits for a row lock must not hold up a renewal.
  const waiting = createControlSession({
    url,
    channel: 'rescind_confirmed',
    timeoutMs,
    onNotify(payload) {
      const said = readAcknowledgement(payload);
      if (said) inForce?.heard(said);
      else inForce?.wake();
    },
    onLost: () => undefined,
  });

  async function stopWaiting(): Promise<void> {
    await inForce?.stop();
    await waiting.close();
  }

  function whenApplied(seq: Seq): Promise<void> {
    if (seq > state.head) cycle.wake();
    return cycle.reader.whenApplied(seq);
  }

  async function appliedInTime(seq: Seq): Promise<void> {
    if (seq <= state.head) return;
    const abort = new AbortController();
    const expired = delay(inForceTimeoutMs, 'expired', { ref: false, signal: abort.signal }).catch(() => undefined);
    const first = await Promise.race([whenApplied(seq), expired]);
    abort.abort();
    if (first === 'expired')
      throw new RescindError('not-confirmed', {
        detail: 'the change is stored, but this process has not applied it yet',
      });
  }

  const isReplaced = (): boolean => cycle.unreadable instanceof AnotherHistory;

  function notCurrentReason(): string | undefined {
    if (cycle.unreadable) return cycle.unreadable.message;
    if (cycle.isStopping) return 'stopping';
    if (serves && !lease.mayAnswer(clock()))
      return cycle.isConnected ? 'this node holds no lease' : 'the database cannot be reached';
    if (performance.now() - cycle.reader.caughtUpAt >= LEASE_FRACTION * leaseMs)
      return 'the control log has not been read for too long';
    const difference = membership.clockDifferenceMs ?? 0;
    if (difference > CLOCK_DIFFERENCE_LIMIT_MS)
      return `the clock of this host is ${Math.round(difference)} ms from the database's`;
    return undefined;
  }

  return {
    state,
    start() {
      inForce = createInForce({
        rows: {
          read: async () => createNodeRows(await waiting.open()).read(),
          reap: async (id, counter) => createNodeRows(await waiting.open()).reap(id, counter),
        },
        timeoutMs: inForceTimeoutMs,
        cycleMs,
        onSettled,
        onError(error) {
          waiting.drop();
          if (!cycle.isStopping) log.warn({ err: error }, 'cannot read the rows of the nodes; retrying');
        },
      });
      return new Promise((resolve, reject) => {
        running = cycle.run(resolve, reject).then(stopWaiting).catch(reject);
      });
    },
    isCurrent: () => lease.mayAnswer(clock()),
    notCurrentReason,
    isReplaced,
    whenApplied,
    async whenInForce(seq, tenant) {
      if (!inForce) throw new TypeError('not started');
      const [confirmed] = await Promise.all([inForce.wait(seq, tenant), appliedInTime(seq)]);
      // In another history the seq belongs to another record, so the wait has proved nothing.
      if (cycle.unreadable instanceof AnotherHistory)
        throw new RescindError('not-confirmed', { detail: cycle.unreadable.message });
      return confirmed;
    },
    async watchInForce(seq, tenant, onSettling) {
      if (!inForce) throw new TypeError('not started');
      return inForce.watch(seq, tenant, onSettling);
    },
    async inForceUpTo(tenant) {
      if (!inForce) throw new TypeError('not started');
      try {
        return await inForce.upTo(state.head, tenant);
      } catch (error) {
        throw new RescindError('database-unavailable', { cause: error });
      }
    },
    measured: () => ({
      leaseRemainingMs: lease.remainingMs(clock()),
      clockDifferenceMs: membership.clockDifferenceMs,
      nodes: inForce?.parties?.nodes,
      guards: inForce?.parties?.guards,
    }),
    onApplied: cycle.reader.onApplied,
    guards: createGuards({ lease, clock, isUnsaid: membership.isUnsaid, wake: cycle.wake }),
    async stop() {
      cycle.stop();
      await running;
    },
  };
}
