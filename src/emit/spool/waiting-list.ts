import type { BatchLimits, WaitingEvent } from './waiting-event.js';

/** The accepted events in memory, in order. */
export interface WaitingList {
  readonly size: number;
  readonly bytes: number;
  readonly oldest: WaitingEvent | undefined;
  push(event: WaitingEvent): void;
  /** Returns the oldest events that fit in one batch; they stay in the list. */
  head(limits: BatchLimits): readonly WaitingEvent[];
  /** Returns events from the oldest on, while `keeps` returns true; they stay in the list. */
  takeWhile(keeps: (event: WaitingEvent, bytesBefore: number) => boolean): readonly WaitingEvent[];
  removeUpTo(seq: number): void;
  removeAll(): readonly WaitingEvent[];
}

/** Number of removed places at which the array is compacted: `shift` on a long list would cost more than sending. */
const COMPACT_AT = 1_024;

export function createWaitingList(): WaitingList {
  let events: WaitingEvent[] = [];
  let start = 0;
  let bytes = 0;

  const takeWhile: WaitingList['takeWhile'] = (keeps) => {
    const taken: WaitingEvent[] = [];
    let taking = 0;
    for (let at = start; at < events.length && keeps(events[at]!, taking); at++) {
      taken.push(events[at]!);
      taking += events[at]!.bytes;
    }
    return taken;
  };

  return {
    get size() {
      return events.length - start;
    },
    get bytes() {
      return bytes;
    },
    get oldest() {
      return events[start];
    },
    push(event) {
      events.push(event);
      bytes += event.bytes;
    },
    head({ maxEvents, maxBytes }) {
      let count = 0;
      return takeWhile((event, before) => count++ < maxEvents && (before === 0 || before + event.bytes <= maxBytes));
    },
    takeWhile,
    removeUpTo(seq) {
      for (; start < events.length && events[start]!.seq <= seq; start++) bytes -= events[start]!.bytes;
      if (start === events.length) [events, start] = [[], 0];
      else if (start >= COMPACT_AT && start * 2 >= events.length) [events, start] = [events.slice(start), 0];
    },
    removeAll() {
      const rest = events.slice(start);
      [events, start, bytes] = [[], 0, 0];
      return rest;
    },
  };
}
