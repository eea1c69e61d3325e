import type { CloudEvent, ErrorCode } from '../contracts/index.js';
import type { DropReason } from './spool/backlog.js';
import type { RetryOptions } from './backoff.js';
import type { Transport } from './transport/transport.js';

/** pino's loggers fit. */
export interface ProducerLog {
  info(bindings: object, message: string): void;
  warn(bindings: object, message: string): void;
  error(bindings: object, message: string): void;
}

export interface DroppedEvent {
  /** Undefined for a damaged one. */
  readonly event: CloudEvent | undefined;
  readonly reason: DropReason;
}

export interface RefusedEvent {
  readonly event: CloudEvent;
  /** Why: for most, one of Rescind's `REJECT_CODES`. */
  readonly code: ErrorCode;
  readonly detail?: string;
}

export interface ProducerOptions {
  /** The registered URI of the source, for every event. */
  readonly source: string;
  /** `httpTransport({…})` or `kafkaTransport({…})`. */
  readonly transport: Transport;
  /** Keeps events on disk while the other side is away. Without it they wait in memory alone. */
  readonly spool?: {
    /** Of this producer alone. */
    readonly directory: string;
    /** Bytes that it never exceeds. Default 256 MiB. */
    readonly maxBytes?: number;
    /** Every event goes through the disk, so that a crash loses no more than one write. Default false: only when the other side is away. */
    readonly always?: boolean;
  };
  /** Events that wait in memory; what comes beyond is dropped, and told. Default 10,000. */
  readonly maxWaiting?: number;
  /** Bytes of JSON that wait in memory, likewise. Default 32 MiB. */
  readonly maxWaitingBytes?: number;
  /** Milliseconds that an event waits for others to be sent with. Default 20. */
  readonly flushMs?: number;
  /** Events of one attempt. Default 500, and no more than the transport takes. */
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
/** Bytes of one attempt, so that one is over soon. */
export const MAX_BATCH_BYTES = 1024 * 1024;
/** How long `emitDurably` waits. */
export const DEFAULT_DURABLE_TIMEOUT_MS = 10_000;
/** How long `close` goes on sending. */
export const DEFAULT_CLOSE_TIMEOUT_MS = 5_000;

/** Throws `TypeError`: a limit that is no number would be no limit. */
export function checkLimits(limits: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1) throw new TypeError(`\`${name}\` must be a whole number above 0`);
  }
}
