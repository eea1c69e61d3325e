import { readPart, type Segment } from './spool-directory.js';
import { MAX_LINE_BYTES, parseLine, splitLines } from './spool-line.js';
import type { BatchLimits, WaitingEvent } from './waiting-event.js';

/** Bytes of one read. */
const READ_BYTES = 256 * 1024;

/** Reads the events of a spool, and reports those that are damaged. */
export interface Reader {
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

export function createReader(segments: readonly Segment[], onDamaged: (count: number) => void): Reader {
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
