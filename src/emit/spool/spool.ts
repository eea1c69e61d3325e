import { rm, open, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { DELIVERED_FILE, makeDirectory, readPart, scanDirectory, segmentPath, syncDirectory, type Segment } from './spool-directory.js';
import { MAX_LINE_BYTES, formatLine, formatNumber, lineBytes, parseLine, splitLines } from './spool-line.js';
import { lockDirectory } from './spool-lock.js';
import type { BatchLimits, WaitingEvent } from './waiting-event.js';

export interface SpoolOptions {
  /** Of this producer alone; made where it is missing. */
  readonly directory: string;
  /** Bytes that the spool never exceeds on disk. */
  readonly maxBytes: number;
  /** That many events were damaged on disk and cannot be delivered. */
  readonly onDamaged: (count: number) => void;
  /** Something that costs no event, such as a file that cannot be deleted. */
  readonly onProblem: (error: unknown) => void;
}

/** Events on disk, oldest first, in files that only grow and are deleted when all they hold is delivered. */
export interface Spool {
  /** Events not yet acknowledged. */
  readonly size: number;
  /** On disk. */
  readonly bytes: number;
  /** `seq` of the newest event that was ever spooled or acknowledged. */
  readonly last: number;
  /** When about the oldest was accepted. */
  readonly oldestAt: number | undefined;
  /** Whether an event has room, beside `pending` bytes that are about to be written. */
  fits(event: WaitingEvent, pending: number): boolean;
  /**
   * Resolves when the events, whose `seq` follows the last one's, survive a loss of power (fdatasync). After a rejection none of
   * them is in the spool. MUST NOT be called before the last call has settled.
   */
  append(events: readonly WaitingEvent[]): Promise<void>;
  /** The oldest events, in order; nothing where all are acknowledged, or what is left is damaged. */
  read(limits: BatchLimits): Promise<readonly WaitingEvent[]>;
  /** Everything up to this `seq` is settled, whether it is in the spool or not. */
  acknowledge(upTo: number): void;
  /** Resolves when the directory may be opened again. What is not acknowledged stays. */
  close(): Promise<void>;
}

const MAX_SEGMENT_BYTES = 4 * 1024 * 1024;
const MIN_SEGMENT_BYTES = 64 * 1024;
/** A delivered part is given back a segment at a time, so that a small spool needs small ones. */
const SEGMENTS = 8;
/** Read at once. */
const READ_BYTES = 256 * 1024;

/** Throws `config-invalid` where another process holds the directory, and what the file system throws. */
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

  /** What changes the directory happens one after the other. */
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

  /** Nothing lies between two segments, so that a gap in the numbers is damage. */
  async function removeDelivered(): Promise<void> {
    while (segments.length > 0 && segments[0]!.last <= delivered) {
      const segment = segments.shift()!;
      if (active?.segment === segment) await closeActive();
      await rm(segment.path, { force: true });
    }
  }

  async function writeDelivered(): Promise<void> {
    // Not synchronized: one that is older after a crash costs duplicates, which are recognized.
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

  /** Part of what was to be written may be there: it must not come back as events. */
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
  /** The oldest events after `delivered`. */
  read(delivered: number, last: number, limits: BatchLimits): Promise<readonly WaitingEvent[]>;
  /** `seq` of the newest event that was found damaged with nothing whole after it. */
  readonly damagedUpTo: number;
  oldestAt(delivered: number): number | undefined;
}

interface Place {
  readonly segment: Segment;
  readonly offset: number;
}

function createReader(segments: readonly Segment[], onDamaged: (count: number) => void): Reader {
  /** Where the first event that is not delivered lies, or one before it. */
  let start: Place | undefined;
  let lastRead: readonly { readonly event: WaitingEvent; readonly next: Place }[] = [];
  let toldUpTo = 0;
  let damagedUpTo = 0;

  /** An event is missing between two that follow each other: told once, also when its neighbours are read again. */
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

/** Whole lines from a place on, over the ends of segments. */
async function* eventsFrom(segments: readonly Segment[], start: Place | undefined): AsyncGenerator<{ event: WaitingEvent; next: Place }> {
  const at = start === undefined ? -1 : segments.indexOf(start.segment);
  // The list may lose its head meanwhile.
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
      // Longer than any line: damaged, and what follows starts at the next newline.
      offset += end === 0 ? part.length : end;
    }
  }
}
