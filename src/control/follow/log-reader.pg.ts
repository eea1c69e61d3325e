import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Lease, Moment } from '../../lease/index.js';
import { READ_LIMIT, type ControlLog } from '../log/control-log.pg.js';
import { weightOf, type ControlRecord, type Seq } from '../log/records.js';
import type { ControlState } from '../state/state.js';
import { readSnapshot } from './snapshot.pg.js';

/** Selectors that are applied in one step. After a step the node acknowledges, renews if that is due, and yields to the event loop. */
const SELECTORS_A_SLICE = 5_000;

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

/** Reads the control log and folds it into the state of this process. */
export interface LogReader {
  /**
   * Reads once and applies the records in slices. Returns whether the read reached the end of the log: a read that is shorter than
   * its limit misses nothing that was committed before it began.
   */
  read(session: Client): Promise<boolean>;
  /** When the last read began that reached the end of the log, on the monotonic clock; -Infinity before. */
  readonly caughtUpAt: number;
  /** Resolves when the record is applied. */
  whenApplied(seq: Seq): Promise<void>;
  /** Registers a listener that is called after records were applied. Records that came in a snapshot are not announced. */
  onApplied(listener: (records: readonly ControlRecord[]) => void): void;
}

export interface LogReaderOptions {
  readonly controlLog: ControlLog;
  readonly state: ControlState;
  readonly lease: Lease;
  readonly clock: () => Moment;
  /** Called between two slices of one read, to write what is applied by then. */
  readonly sayHowFar: (session: Client) => Promise<void>;
}

export function createLogReader({ controlLog, state, lease, clock, sayHowFar }: LogReaderOptions): LogReader {
  const listeners: ((records: readonly ControlRecord[]) => void)[] = [];
  let waiters: { readonly seq: Seq; readonly resolve: () => void }[] = [];
  let caughtUpAt = -Infinity;

  /** Applies the records and tells the listeners, in one synchronous step. */
  function applySlice(records: readonly ControlRecord[], toTheEnd: boolean, before: Seq): void {
    try {
      for (const record of records) state.apply(record);
      lease.applied(state.head, toTheEnd);
    } finally {
      if (state.head > before) announce(records.filter(({ seq }) => seq <= state.head));
    }
  }

  function announce(records: readonly ControlRecord[]): void {
    // Records that came in a snapshot are in the state and are not announced.
    if (records.length > 0) for (const listener of listeners) listener(records);
    const due = waiters.filter(({ seq }) => seq <= state.head);
    waiters = waiters.filter(({ seq }) => seq > state.head);
    for (const { resolve } of due) resolve();
  }

  return {
    async read(session) {
      const startedAt = clock().monotonic;
      const before = state.head;
      if (before === 0n) await readSnapshot(session, state);
      const read = await controlLog.readAfter(beforeHead(state), session);
      const records = afterHead(read, state);
      const toTheEnd = read.length < READ_LIMIT;
      const slices = slicesOf(records);
      for (const [nth, slice] of slices.entries()) {
        const isLast = nth === slices.length - 1;
        if (isLast && toTheEnd) caughtUpAt = startedAt;
        applySlice(slice, isLast && toTheEnd, nth === 0 ? before : state.head);
        if (isLast) break;
        await sayHowFar(session);
        await nextTurn();
      }
      return toTheEnd;
    },
    get caughtUpAt() {
      return caughtUpAt;
    },
    whenApplied(seq) {
      if (seq <= state.head) return Promise.resolve();
      return new Promise((resolve) => waiters.push({ seq, resolve }));
    },
    onApplied: (listener) => void listeners.push(listener),
  };
}
