import type { ErrorCode } from '../contracts/index.js';
import type { Backlog, DropReason } from './spool/backlog.js';
import type { Pump } from './pump.js';
import type { Spool } from './spool/spool.js';

/**
 * Counts since the producer was created. Between two ticks of the event loop `accepted + recovered = delivered + refused + dropped +
 * waiting`.
 */
export interface ProducerStats {
  /** Events accepted, including those dropped at once for lack of room. */
  readonly accepted: number;
  /** Events found in the spool at the start. */
  readonly recovered: number;
  /** Events that are durable at the other side; with Kafka the other side is the broker. */
  readonly delivered: number;
  /** Delivered events that the other side had already. */
  readonly duplicates: number;
  /** Events refused for good, reported to `onRefused`. */
  readonly refused: number;
  /** Events lost, reported to `onDropped`; `droppedBy` has them by reason. */
  readonly dropped: number;
  readonly droppedBy: Readonly<Record<DropReason, number>>;
  /** Events not yet delivered, refused or dropped. */
  readonly waiting: number;
  /** Waiting events that are on disk. An event that is just being written counts as in memory. */
  readonly spooled: number;
  /** Bytes of the spool on disk. */
  readonly spoolBytes: number;
  /** Approximate age of the oldest waiting event, in milliseconds. */
  readonly oldestWaitingMs: number;
  /** Batches sent, repetitions included. */
  readonly attempts: number;
  /** Attempts that failed and are repeated. */
  readonly failures: number;
  /** Why the last attempt failed; undefined while attempts succeed. */
  readonly away: ErrorCode | undefined;
}

export interface ProducerCounts {
  accepted: number;
  recovered: number;
  delivered: number;
  duplicates: number;
  refused: number;
  readonly droppedBy: Record<DropReason, number>;
  read(parts: { readonly backlog: Backlog; readonly spool: Spool | undefined; readonly pump: Pump }): ProducerStats;
}

export function createProducerCounts(): ProducerCounts {
  return {
    accepted: 0,
    recovered: 0,
    delivered: 0,
    duplicates: 0,
    refused: 0,
    droppedBy: { 'memory-full': 0, 'spool-full': 0, 'spool-failed': 0, 'spool-damaged': 0, closed: 0 },
    read({ backlog, spool, pump }) {
      const { accepted, recovered, delivered, duplicates, refused, droppedBy } = this;
      return {
        accepted,
        recovered,
        delivered,
        duplicates,
        refused,
        dropped: Object.values(droppedBy).reduce((sum, count) => sum + count, 0),
        droppedBy: { ...droppedBy },
        waiting: backlog.size,
        spooled: spool?.size ?? 0,
        spoolBytes: spool?.bytes ?? 0,
        oldestWaitingMs: backlog.oldestAt === undefined ? 0 : Math.max(0, Date.now() - backlog.oldestAt),
        attempts: pump.attempts,
        failures: pump.failures,
        away: pump.lastFailure?.code,
      };
    },
  };
}
