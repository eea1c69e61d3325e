import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { RescindError } from '../../contracts/index.js';
import type { Log } from '../../platform/log/index.js';
import { READ_LIMIT, type ControlLog } from '../log/control-log.pg.js';
import { createControlSession } from './control-session.pg.js';
import { createInForce, type InForce, type InForceOptions } from './in-force.js';
import { createLeaseClock } from '../lease/lease-clock.js';
import { createLease, LEASE_FRACTION, type GrantAnswer } from '../lease/lease.js';
import { createMembership } from './membership.pg.js';
import { createNodeRows, readAcknowledgement } from './node-rows.pg.js';
import { weightOf, type ControlRecord, type Seq } from '../log/records.js';
import { readSnapshot } from './snapshot.pg.js';
import { createControlState, UnknownRecordVersion, type ControlState } from '../state/state.js';
import type { Confirmed } from '../lease/waiting.js';

/** L of the lease protocol, milliseconds. A longer L bridges a longer outage of the database; a shorter L ends the wait for a dead node sooner. */
export const DEFAULT_LEASE_MS = 4_000;
export const MIN_LEASE_MS = 2_000;
export const MAX_LEASE_MS = 30_000;

/** How often a node reads and renews, and a waiter reads the rows, when nothing wakes them; at most L / 4. */
const CYCLE_MS = 500;

/** A statement that takes longer than this counts as a lost database; at most L / 2. */
const QUERY_TIMEOUT_MS = 2_000;
const RECONNECT_MS = 250;
/** Selectors that are applied in one step. After a step the node acknowledges, renews if that is due, and yields to the event loop. */
const SELECTORS_A_SLICE = 5_000;
/** How often a leaving node checks whether the grants of its guards have ended. */
const LEAVING_CYCLE_MS = 50;

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
  /** Resolves when the record is applied in this process, whether or not its order may be answered yet. */
  whenApplied(seq: Seq): Promise<void>;
  /**
   * Resolves when no node and no guard answers *active* against the record any more, and the record is applied here. Throws
   * `not-confirmed` if it cannot tell in time; the same call again waits again. Any process may wait. If the record's tenant is
   * given, guards of other tenants are not waited for: the record does not concern them.
   */
  whenInForce(seq: Seq, tenant?: string): Promise<Confirmed>;
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
}

/** Gives guards the right to answer under this node's lease. A guard MUST use a fresh id at each of its starts. */
export interface Guards {
  /** Grants or refuses a lease. `held`: the seq up to which the guard has applied the log. The guard uses f of the grant, counted from before it asked. */
  grant(id: string, held: Seq, tenant: string): GrantAnswer;
  /** Ends a grant. The guard MUST have stopped using it, and MUST NOT use an answer to an earlier `grant` call. */
  release(id: string): void;
  /** Stops granting; resolves when the last grant has ended. The node itself goes on answering. */
  drain(): Promise<void>;
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

/** Says that the record applied last is not in the database any more: an older state of the database, or another database, took its place. */
export class AnotherHistory extends Error {
  override readonly name = 'AnotherHistory';

  constructor(head: Seq) {
    super(`the control log of this database is not the one that was followed up to ${head}: restart this process`);
  }
}

const beforeHead = ({ head }: ControlState): Seq => (head === 0n ? head : head - 1n) as Seq;

/** Checks that the read begins with the record applied last, and returns the records after it. Throws `AnotherHistory` if it does not. */
function afterHead(read: readonly ControlRecord[], { head, headAt }: ControlState): readonly ControlRecord[] {
  if (head === 0n) return read;
  const [last, ...later] = read;
  if (last?.seq !== head || last.at !== headAt) throw new AnotherHistory(head);
  return later;
}

/** Splits the records into slices of at least `SELECTORS_A_SLICE` selectors, except the last. Returns at least one slice, which may be empty. */
function slicesOf(records: readonly ControlRecord[]): readonly (readonly ControlRecord[])[] {
  const slices: ControlRecord[][] = [[]];
  let weight = 0;
  for (const record of records) {
    if (weight >= SELECTORS_A_SLICE) {
      slices.push([]);
      weight = 0;
    }
    slices.at(-1)!.push(record);
    weight += weightOf(record);
  }
  return slices;
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
  const listeners: ((records: readonly ControlRecord[]) => void)[] = [];
  let waiters: { readonly seq: Seq; readonly resolve: () => void }[] = [];
  let readStartedAt = -Infinity;
  let unreadable: UnknownRecordVersion | AnotherHistory | undefined;
  let isStopping = false;
  let isWoken = false;
  let wakeLoop: () => void = () => undefined;
  let running: Promise<void> = Promise.resolve();
  let inForce: InForce | undefined;

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

  function wake(): void {
    isWoken = true;
    wakeLoop();
  }

  /**
   * Reads once and applies the records in slices. Returns whether the read reached the end of the log: a read that is shorter than
   * its limit misses nothing that was committed before it began.
   */
  async function readOnce(session: Client): Promise<boolean> {
    const startedAt = clock().monotonic;
    const before = state.head;
    if (before === 0n) await readSnapshot(session, state);
    const read = await controlLog.readAfter(beforeHead(state), session);
    const records = afterHead(read, state);
    const toTheEnd = read.length < READ_LIMIT;
    const slices = slicesOf(records);
    for (const [nth, slice] of slices.entries()) {
      const isLast = nth === slices.length - 1;
      if (isLast && toTheEnd) readStartedAt = startedAt;
      applySlice(slice, isLast && toTheEnd, nth === 0 ? before : state.head);
      if (isLast) break;
      await sayHowFar(session);
      await nextTurn();
    }
    return toTheEnd;
  }

  /** Applies the records and tells the listeners, in one synchronous step. */
  function applySlice(records: readonly ControlRecord[], toTheEnd: boolean, before: Seq): void {
    try {
      for (const record of records) state.apply(record);
      lease.applied(state.head, toTheEnd);
    } finally {
      if (state.head > before) announce(records.filter(({ seq }) => seq <= state.head));
    }
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

  function announce(records: readonly ControlRecord[]): void {
    // Records that came in a snapshot are in the state and are not announced.
    if (records.length > 0) for (const listener of listeners) listener(records);
    const due = waiters.filter(({ seq }) => seq <= state.head);
    waiters = waiters.filter(({ seq }) => seq > state.head);
    for (const { resolve } of due) resolve();
  }

  const isLeaving = (): boolean => isStopping || unreadable !== undefined;
  const isStranger = (): boolean => serves && !isLeaving() && lease.row === undefined;

  /** Joins if necessary, reads, acknowledges and renews once. Returns whether another cycle must follow at once. */
  async function cycle(): Promise<boolean> {
    const session = await following.open();
    if (isStranger()) await membership.join(session);
    const toTheEnd = unreadable !== undefined || (await readOnce(session));
    await sayHowFar(session);
    return !toTheEnd || isStranger();
  }

  async function loop(started: () => void, refused: (error: Error) => void): Promise<void> {
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
    await goAway();
  }

  async function idle(woken: Promise<void>): Promise<void> {
    const abort = new AbortController();
    const ms = isLeaving() ? LEAVING_CYCLE_MS : lease.row === undefined ? cycleMs : membership.dueInMs();
    await Promise.race([woken, delay(ms, undefined, { ref: false, signal: abort.signal }).catch(() => undefined)]);
    abort.abort();
  }

  async function goAway(): Promise<void> {
    // If the row cannot be deleted, one order waits L for it, as after a crash.
    if (following.isOpen)
      await following
        .open()
        .then(membership.leave)
        .catch((error: unknown) =>
          log.warn({ err: error }, 'cannot delete the row of this node; an order waits for its lease to end, once'),
        );
    await inForce?.stop();
    await Promise.all([following.close(), waiting.close()]);
  }

  function whenApplied(seq: Seq): Promise<void> {
    if (seq <= state.head) return Promise.resolve();
    wake();
    return new Promise((resolve) => waiters.push({ seq, resolve }));
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

  function notCurrentReason(): string | undefined {
    if (unreadable) return unreadable.message;
    if (isStopping) return 'stopping';
    if (serves && !lease.mayAnswer(clock()))
      return following.isOpen ? 'this node holds no lease' : 'the database cannot be reached';
    if (performance.now() - readStartedAt >= LEASE_FRACTION * leaseMs)
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
          if (!isStopping) log.warn({ err: error }, 'cannot read the rows of the nodes; retrying');
        },
      });
      return new Promise((resolve, reject) => {
        running = loop(resolve, reject).catch(reject);
      });
    },
    isCurrent: () => lease.mayAnswer(clock()),
    notCurrentReason,
    whenApplied,
    async whenInForce(seq, tenant) {
      if (!inForce) throw new TypeError('not started');
      const [confirmed] = await Promise.all([inForce.wait(seq, tenant), appliedInTime(seq)]);
      // In another history the seq belongs to another record, so the wait has proved nothing.
      if (unreadable instanceof AnotherHistory) throw new RescindError('not-confirmed', { detail: unreadable.message });
      return confirmed;
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
      nodes: inForce?.nodes,
    }),
    onApplied: (listener) => void listeners.push(listener),
    guards: {
      grant(id, held, tenant) {
        const answer = lease.grant(id, held, clock(), tenant);
        // A wait may need exactly the seq that this guard has just applied.
        if ('grantMs' in answer && membership.isUnsaid()) wake();
        return answer;
      },
      release(id) {
        lease.release(id);
        if (membership.isUnsaid()) wake();
      },
      async drain() {
        lease.stopGranting();
        while (lease.guards(clock()) > 0) await delay(LEAVING_CYCLE_MS);
      },
    },
    async stop() {
      isStopping = true;
      lease.leave();
      wake();
      await running;
    },
  };
}
