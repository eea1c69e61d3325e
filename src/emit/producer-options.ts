import type { CloudEvent, ErrorCode } from '../contracts/index.js';
import type { DropReason } from './spool/backlog.js';
import type { RetryOptions } from './backoff.js';
import type { Transport } from './transport/transport.js';

/** A logger for the producer's own reports; pino's loggers fit. */
export interface ProducerLog {
  info(bindings: object, message: string): void;
  warn(bindings: object, message: string): void;
  error(bindings: object, message: string): void;
}

/** An accepted event that will not be delivered. */
export interface DroppedEvent {
  /** The lost event; undefined if it was damaged on disk. */
  readonly event: CloudEvent | undefined;
  readonly reason: DropReason;
}

/** An accepted event that the other side refuses for good. */
export interface RefusedEvent {
  readonly event: CloudEvent;
  /** Why the event is refused; usually one of Rescind's `REJECT_CODES`. */
  readonly code: ErrorCode;
  readonly detail?: string;
}

/** Options of `createProducer`. Every limit must be a whole number above 0; `flushMs` may be 0. */
export interface ProducerOptions {
  /** The registered URI of the source, used for every event; 1 to 512 bytes. */
  readonly source: string;
  /** `httpTransport({…})` or `kafkaTransport({…})`. */
  readonly transport: Transport;
  /** Keeps events on disk while the other side is away. Without a spool, events wait in memory only. */
  readonly spool?: {
    /** Directory of the spool, used by this producer alone. */
    readonly directory: string;
    /** Largest size of the spool in bytes. Default 256 MiB. */
    readonly maxBytes?: number;
    /**
     * Writes every event to disk first, so that a crash loses no more than one write. Default false: the disk is used only when the other
     * side is away.
     */
    readonly always?: boolean;
  };
  /** Events that may wait in memory; further ones are dropped and reported to `onDropped`. Default 10,000. */
  readonly maxWaiting?: number;
  /** Bytes of JSON that may wait in memory; further events are dropped and reported likewise. Default 32 MiB. */
  readonly maxWaitingBytes?: number;
  /** Milliseconds that an event waits for others to be sent with. Default 20. */
  readonly flushMs?: number;
  /** Events of one attempt. Default 500, and at most what the transport takes. */
  readonly maxBatch?: number;
  readonly retry?: RetryOptions;
  /** Called for each event that was accepted and will not be delivered. */
  readonly onDropped: (dropped: DroppedEvent) => void;
  /** Called for each event that the other side refuses for good. */
  readonly onRefused: (refused: RefusedEvent) => void;
  readonly log?: ProducerLog;
}

export const DEFAULT_SPOOL_BYTES = 256 * 1024 * 1024;
export const DEFAULT_MAX_WAITING = 10_000;
export const DEFAULT_MAX_WAITING_BYTES = 32 * 1024 * 1024;
export const DEFAULT_FLUSH_MS = 20;
export const DEFAULT_MAX_BATCH = 500;
/** Bytes of one attempt, so that an attempt ends soon. */
export const MAX_BATCH_BYTES = 1024 * 1024;
/** Milliseconds that `emitDurably` waits. */
export const DEFAULT_DURABLE_TIMEOUT_MS = 10_000;
/** Milliseconds that `close` continues to send. */
export const DEFAULT_CLOSE_TIMEOUT_MS = 5_000;

/** Throws `TypeError` unless each limit is a whole number above 0, because a limit that is no number would not limit. */
export function checkLimits(limits: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1) throw new TypeError(`\`${name}\` must be a whole number above 0`);
  }
}
