import type { ErrorCode } from '../contracts/index.js';
import type { Backlog, DropReason } from './spool/backlog.js';
import type { Pump } from './pump.js';
import type { Spool } from './spool/spool.js';

/** Since the producer was created. `accepted + recovered = delivered + refused + dropped + waiting`, between two ticks. */
export interface ProducerStats {
  readonly accepted: number;
  /** Found in the spool at the start. */
  readonly recovered: number;
  /** Durable at the other side; over Kafka that is the broker. */
  readonly delivered: number;
  /** Of these, those that the other side had already. */
  readonly duplicates: number;
  readonly refused: number;
  readonly dropped: number;
  readonly droppedBy: Readonly<Record<DropReason, number>>;
  readonly waiting: number;
  /** Of these, on disk. One that is just being written counts as in memory. */
  readonly spooled: number;
  readonly spoolBytes: number;
  /** Age of about the oldest that waits. */
  readonly oldestWaitingMs: number;
  readonly attempts: number;
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
