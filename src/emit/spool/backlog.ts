import type { Spool } from './spool.js';
import { lineBytes } from './spool-line.js';
import type { BatchLimits, WaitingEvent } from './waiting-event.js';
import { createWaitingList } from './waiting-list.js';

/** Why an accepted event will not be delivered. */
export type DropReason =
  /** Memory is full, and there is no spool or the spool is slower than the events. */
  | 'memory-full'
  /** Memory and spool are full. */
  | 'spool-full'
  /** Memory is full, and the disk refuses writes. */
  | 'spool-failed'
  /** The bytes on disk are not those that were written. */
  | 'spool-damaged'
  /** The producer was closed before the event was delivered, and no spool had room for the event. */
  | 'closed';

export interface BacklogOptions {
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly spool: Spool | undefined;
  /** Writes every event to disk, not only when the other side is away. */
  readonly spoolAlways: boolean;
  /** Called when everything up to this `seq` is on disk. */
  readonly onSpooled: (upTo: number) => void;
  readonly onSpoolFailed: (error: unknown) => void;
}

/**
 * The accepted events in order: the oldest in the spool, newer ones in memory. Events move from memory to the spool while the other side is
 * away, while the spool holds older events, and when memory is half full.
 */
export interface Backlog {
  readonly size: number;
  readonly inMemory: number;
  /** `seq` of the newest accepted event; `settled`: the `seq` up to which all events are settled. */
  readonly last: number;
  readonly settled: number;
  readonly oldestAt: number | undefined;
  /** Adds an event. Returns its `seq`, or why there is no room. */
  push(event: Omit<WaitingEvent, 'seq'>): number | DropReason;
  /** Returns the oldest events, which stay until they are acknowledged. */
  take(limits: BatchLimits): Promise<readonly WaitingEvent[]>;
  acknowledge(upTo: number): void;
  setAway(away: boolean): void;
  /** Moves events to the spool as far as they fit, and returns the rest. Nothing may be pushed afterwards. */
  close(): Promise<readonly WaitingEvent[]>;
}

/** Bytes of one write to the spool. */
const MAX_WRITE_BYTES = 1024 * 1024;
/** Milliseconds before a disk that refused a write is tried again. */
const SPOOL_RETRY_MS = 1_000;

export function createBacklog({
  maxEvents,
  maxBytes,
  spool,
  spoolAlways,
  onSpooled,
  onSpoolFailed,
}: BacklogOptions): Backlog {
  const memory = createWaitingList();
  let last = spool?.last ?? 0;
  let settled = last - (spool?.size ?? 0);
  let [away, closing] = [false, false];
  let failed = false;
  let retry: NodeJS.Timeout | undefined;
  let moving: Promise<void> | undefined;

  const wantsSpool = (): boolean =>
    spoolAlways ||
    away ||
    closing ||
    (spool?.size ?? 0) > 0 ||
    memory.size * 2 >= maxEvents ||
    memory.bytes * 2 >= maxBytes;

  const movable = (to: Spool): readonly WaitingEvent[] => {
    let pending = 0;
    return memory.takeWhile((event, before) => {
      if (before >= MAX_WRITE_BYTES || !to.fits(event, pending)) return false;
      pending += lineBytes(event);
      return true;
    });
  };

  async function move(to: Spool): Promise<void> {
    while (wantsSpool()) {
      const events = movable(to);
      const newest = events.at(-1);
      if (newest === undefined) return;
      try {
        await to.append(events);
      } catch (error) {
        failed = true;
        onSpoolFailed(error);
        if (!closing) retry = setTimeout(tryAgain, SPOOL_RETRY_MS);
        return;
      }
      failed = false;
      memory.removeUpTo(newest.seq);
      onSpooled(newest.seq);
    }
  }

  function tryAgain(): void {
    clearTimeout(retry);
    retry = undefined;
    startMoving();
  }

  function startMoving(): void {
    if (spool === undefined || moving !== undefined || retry !== undefined || memory.size === 0 || !wantsSpool())
      return;
    moving = move(spool).finally(() => {
      moving = undefined;
      // Events that came while the last write ended.
      if (!failed && memory.oldest !== undefined && spool.fits(memory.oldest, 0)) startMoving();
    });
  }

  function reasonForNoRoom(event: WaitingEvent): DropReason {
    if (spool === undefined) return 'memory-full';
    if (failed) return 'spool-failed';
    return spool.fits(memory.oldest ?? event, 0) ? 'memory-full' : 'spool-full';
  }

  return {
    get size() {
      return last - settled;
    },
    get inMemory() {
      return memory.size;
    },
    get last() {
      return last;
    },
    get settled() {
      return settled;
    },
    get oldestAt() {
      return spool?.oldestAt ?? memory.oldest?.acceptedAt;
    },
    push(accepted) {
      const event = { ...accepted, seq: last + 1 };
      if (memory.size >= maxEvents || memory.bytes + event.bytes > maxBytes) return reasonForNoRoom(event);
      memory.push(event);
      last = event.seq;
      startMoving();
      return event.seq;
    },
    async take(limits) {
      if (spool === undefined || spool.size === 0) return memory.head(limits);
      const events = await spool.read(limits);
      // Damaged events are settled by having been reported.
      if (events.length === 0) settled = Math.max(settled, spool.last - spool.size);
      return events;
    },
    acknowledge(upTo) {
      settled = Math.max(settled, upTo);
      memory.removeUpTo(upTo);
      spool?.acknowledge(upTo);
      startMoving();
    },
    setAway(isAway) {
      away = isAway;
      startMoving();
    },
    async close() {
      closing = true;
      if (spool === undefined) return memory.removeAll();
      await moving;
      tryAgain();
      await moving;
      const rest = memory.removeAll();
      await spool.close();
      return rest;
    },
  };
}
