import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSegmentFiles } from './segment-files.js';
import { DELIVERED_FILE, makeDirectory, scanDirectory } from './spool-directory.js';
import { formatNumber, lineBytes } from './spool-line.js';
import { lockDirectory } from './spool-lock.js';
import { createReader } from './spool-reader.js';
import type { BatchLimits, WaitingEvent } from './waiting-event.js';

export interface SpoolOptions {
  /** Directory of the spool, used by this producer alone; created if it is missing. */
  readonly directory: string;
  /** Largest size of the spool on disk, in bytes. */
  readonly maxBytes: number;
  /** Called with the number of events that were damaged on disk and cannot be delivered. */
  readonly onDamaged: (count: number) => void;
  /** Called for a problem that costs no event, such as a file that cannot be deleted. */
  readonly onProblem: (error: unknown) => void;
}

/** Events on disk, oldest first, in files that only grow and are deleted once all their events are delivered. */
export interface Spool {
  /** Number of events not yet acknowledged. */
  readonly size: number;
  /** Bytes on disk. */
  readonly bytes: number;
  /** `seq` of the newest event that was ever spooled or acknowledged. */
  readonly last: number;
  /** Approximate time at which the oldest event was accepted, in milliseconds since the epoch. */
  readonly oldestAt: number | undefined;
  /** Says whether an event has room beside `pending` bytes that are about to be written. */
  fits(event: WaitingEvent, pending: number): boolean;
  /**
   * Resolves when the events, whose `seq` continues that of the last one, survive a loss of power (fdatasync). After a rejection none of
   * them is in the spool. MUST NOT be called before the last call has settled.
   */
  append(events: readonly WaitingEvent[]): Promise<void>;
  /** Reads the oldest events, in order; none if all are acknowledged or the rest is damaged. */
  read(limits: BatchLimits): Promise<readonly WaitingEvent[]>;
  /** Marks everything up to this `seq` as settled, whether it is in the spool or not. */
  acknowledge(upTo: number): void;
  /** Closes the spool. Resolves when the directory may be opened again. Events not acknowledged stay on disk. */
  close(): Promise<void>;
}

const MAX_SEGMENT_BYTES = 4 * 1024 * 1024;
const MIN_SEGMENT_BYTES = 64 * 1024;
/** Segments in a full spool. Space is freed a segment at a time, so a small spool needs small segments. */
const SEGMENTS = 8;

/** Opens the spool of a directory. Throws `config-invalid` if another process has locked the directory, and errors of the file system. */
export function openSpool({ directory, maxBytes, onDamaged, onProblem }: SpoolOptions): Spool {
  makeDirectory(directory);
  const unlock = lockDirectory(directory);
  let found;
  try {
    found = scanDirectory(directory);
  } catch (error) {
    unlock();
    throw error;
  }
  const { segments } = found;
  const segmentBytes = Math.min(MAX_SEGMENT_BYTES, Math.max(MIN_SEGMENT_BYTES, Math.floor(maxBytes / SEGMENTS)));
  let { delivered, last, oldestAt } = found;
  const files = createSegmentFiles({ directory, segments, segmentBytes, onProblem });
  let lastDisk: Promise<unknown> = Promise.resolve();
  let tidying = false;

  const total = (): number => segments.reduce((sum, { bytes }) => sum + bytes, 0);

  /** Runs changes of the directory one after the other. */
  function exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = lastDisk.then(work);
    lastDisk = result.catch(() => undefined);
    return result;
  }

  async function writeDelivered(): Promise<void> {
    // Not synchronized: an older number after a crash costs only duplicates, which are recognized.
    await writeFile(join(directory, DELIVERED_FILE), formatNumber(delivered), { mode: 0o600 });
  }

  async function tidy(): Promise<void> {
    tidying = false;
    const stands = segments.length > 0;
    await files.removeUpTo(delivered);
    if (stands) await writeDelivered();
  }

  function acknowledge(upTo: number): void {
    delivered = Math.max(delivered, upTo);
    if (tidying || segments.length === 0) return;
    tidying = true;
    exclusively(tidy).catch(onProblem);
  }

  async function write(events: readonly WaitingEvent[]): Promise<void> {
    await files.removeUpTo(delivered);
    await files.append(events);
    if (last <= delivered) oldestAt = events[0]!.acceptedAt;
    last = events.at(-1)!.seq;
  }

  const reader = createReader(segments, onDamaged);

  return {
    get size() {
      return Math.max(0, last - delivered);
    },
    get bytes() {
      return total();
    },
    get last() {
      return Math.max(last, delivered);
    },
    get oldestAt() {
      return last > delivered ? (reader.oldestAt(delivered) ?? oldestAt) : undefined;
    },
    fits: (event, pending) => (last > delivered ? total() : 0) + pending + lineBytes(event) <= maxBytes,
    append: (events) => exclusively(() => write(events)),
    async read(limits) {
      const events = await reader.read(delivered, last, limits);
      if (events.length === 0) acknowledge(reader.damagedUpTo);
      return events;
    },
    acknowledge,
    async close() {
      await exclusively(async () => {
        await tidy();
        await files.close();
      }).finally(unlock);
    },
  };
}
