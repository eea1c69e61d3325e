import { rm, open, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DELIVERED_FILE,
  makeDirectory,
  readPart,
  scanDirectory,
  segmentPath,
  syncDirectory,
  type Segment,
} from './spool-directory.js';
import { MAX_LINE_BYTES, formatLine, formatNumber, lineBytes, parseLine, splitLines } from './spool-line.js';
import { lockDirectory } from './spool-lock.js';
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
/** Bytes of one read. */
const READ_BYTES = 256 * 1024;

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
  let active: { readonly segment: Segment; readonly file: FileHandle } | undefined;
  let lastDisk: Promise<unknown> = Promise.resolve();
  let tidying = false;

  const total = (): number => segments.reduce((sum, { bytes }) => sum + bytes, 0);

  /** Runs changes of the directory one after the other. */
  function exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = lastDisk.then(work);
    lastDisk = result.catch(() => undefined);
    return result;
  }

  async function closeActive(): Promise<void> {
    const file = active?.file;
    active = undefined;
    await file?.close();
  }

  /** Segments are deleted from the front only, so a gap in the numbers always means damage. */
  async function removeDelivered(): Promise<void> {
    while (segments.length > 0 && segments[0]!.last <= delivered) {
      const segment = segments.shift()!;
      if (active?.segment === segment) await closeActive();
      await rm(segment.path, { force: true });
    }
  }

  async function writeDelivered(): Promise<void> {
    // Not synchronized: an older number after a crash costs only duplicates, which are recognized.
    await writeFile(join(directory, DELIVERED_FILE), formatNumber(delivered), { mode: 0o600 });
  }

  async function tidy(): Promise<void> {
    tidying = false;
    const stands = segments.length > 0;
    await removeDelivered();
    if (stands) await writeDelivered();
  }

  function acknowledge(upTo: number): void {
    delivered = Math.max(delivered, upTo);
    if (tidying || segments.length === 0) return;
    tidying = true;
    exclusively(tidy).catch(onProblem);
  }

  async function openSegment(first: number): Promise<NonNullable<typeof active>> {
    await closeActive();
    const segment: Segment = { path: segmentPath(directory, first), first, bytes: 0, last: first - 1 };
    const file = await open(segment.path, 'w', 0o600);
    try {
      await syncDirectory(directory);
    } catch (error) {
      await file.close();
      throw error;
    }
    segments.push(segment);
    active = { segment, file };
    return active;
  }

  async function write(events: readonly WaitingEvent[]): Promise<void> {
    await removeDelivered();
    const { segment, file } =
      active === undefined || active.segment.bytes >= segmentBytes ? await openSegment(events[0]!.seq) : active;
    const bytes = Buffer.from(events.map(formatLine).join(''));
    try {
      await writeAll(file, bytes, segment.bytes);
      await file.datasync();
    } catch (error) {
      await abandon(segment, file);
      throw error;
    }
    if (last <= delivered) oldestAt = events[0]!.acceptedAt;
    segment.bytes += bytes.length;
    segment.last = last = events.at(-1)!.seq;
  }

  /** Undoes a failed write. Part of it may be in the file and must not come back as events. */
  async function abandon(segment: Segment, file: FileHandle): Promise<void> {
    try {
      await file.truncate(segment.bytes);
    } catch (error) {
      onProblem(error);
    }
    await closeActive().catch(onProblem);
    if (segment.bytes > 0) return;
    segments.splice(segments.indexOf(segment), 1);
    await rm(segment.path, { force: true }).catch(onProblem);
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
        await closeActive();
      }).finally(unlock);
    },
  };
}

async function writeAll(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, at + written);
    written += bytesWritten;
  }
}

interface Reader {
  /** Reads the oldest events after `delivered`. */
  read(delivered: number, last: number, limits: BatchLimits): Promise<readonly WaitingEvent[]>;
  /** `seq` of the newest damaged event if nothing whole follows it. */
  readonly damagedUpTo: number;
  oldestAt(delivered: number): number | undefined;
}

interface Place {
  readonly segment: Segment;
  readonly offset: number;
}

function createReader(segments: readonly Segment[], onDamaged: (count: number) => void): Reader {
  /** Place of the first event that is not delivered, or of an event before it. */
  let start: Place | undefined;
  let lastRead: readonly { readonly event: WaitingEvent; readonly next: Place }[] = [];
  let toldUpTo = 0;
  let damagedUpTo = 0;

  /** Reports events that are missing between two others. Each is reported once, even if its neighbours are read again. */
  function tellGap(from: number, to: number): void {
    const first = Math.max(from, toldUpTo + 1);
    if (first > to) return;
    toldUpTo = to;
    onDamaged(to - first + 1);
  }

  return {
    get damagedUpTo() {
      return damagedUpTo;
    },
    oldestAt: (delivered) => (lastRead.find(({ event }) => event.seq > delivered) ?? lastRead.at(-1))?.event.acceptedAt,
    async read(delivered, last, { maxEvents, maxBytes }) {
      start = lastRead.findLast(({ event }) => event.seq <= delivered)?.next ?? start;
      const found: { event: WaitingEvent; next: Place }[] = [];
      let [expected, bytes] = [delivered + 1, 0];
      for await (const { event, next } of eventsFrom(segments, start)) {
        if (event.seq < expected) continue;
        if (found.length > 0 && (found.length === maxEvents || bytes + event.bytes > maxBytes)) {
          lastRead = found;
          return found.map((one) => one.event);
        }
        if (event.seq > expected) tellGap(expected, event.seq - 1);
        found.push({ event, next });
        bytes += event.bytes;
        expected = event.seq + 1;
      }
      lastRead = found;
      if (found.length === 0 && expected <= last) {
        tellGap(expected, last);
        damagedUpTo = last;
      }
      return found.map((one) => one.event);
    },
  };
}

/** Yields the whole lines from a place on, across segments. */
async function* eventsFrom(
  segments: readonly Segment[],
  start: Place | undefined,
): AsyncGenerator<{ event: WaitingEvent; next: Place }> {
  const at = start === undefined ? -1 : segments.indexOf(start.segment);
  // The list may lose its head meanwhile, so the loop goes over a copy.
  for (const segment of segments.slice(Math.max(0, at))) {
    let offset = at >= 0 && segment === start?.segment ? start.offset : 0;
    while (offset < segment.bytes) {
      const length = Math.min(Math.max(READ_BYTES, MAX_LINE_BYTES), segment.bytes - offset);
      const part = await readPart(segment.path, offset, length);
      const { lines, end } = splitLines(part);
      for (const { line, end: lineEnd } of lines) {
        const event = parseLine(line);
        if (event !== undefined) yield { event, next: { segment, offset: offset + lineEnd } };
      }
      if (part.length === 0 || (end === 0 && part.length === segment.bytes - offset)) break;
      // No newline within the longest line: the bytes are damaged, and the next event starts after the next newline.
      offset += end === 0 ? part.length : end;
    }
  }
}
