import type { ServerResponse } from 'node:http';
import { HEARTBEAT } from './frames.js';

/** How long a client has to read the last bytes when its stream ends, before it is cut off. */
const LAST_WORDS_MS = 1_000;

/** An answer that stays open, and whom it answers. */
export interface OpenStream {
  readonly res: ServerResponse;
  readonly tenant: string;
  readonly caller: string;
  /** Says whether its caller may still read it. */
  readonly mayRead: () => boolean | Promise<boolean>;
}

export type EndReason = 'closed' | 'too-slow' | 'no-right' | 'stopping';

export interface StreamBounds {
  /** Bytes that may wait for a client that does not read. Beyond them its stream is cut off. */
  readonly maxWaitingBytes: number;
  readonly maxStreams: number;
  readonly maxStreamsACaller: number;
  readonly maxStreamsATenant: number;
}

export interface StreamsOptions<S extends OpenStream> {
  readonly bounds: StreamBounds;
  /** Called once for each stream that ended. */
  readonly onEnded: (stream: S, reason: EndReason) => void;
  /** Formats the last words to a client that lost its right, or whose server stops. Default: none. */
  readonly lastWords?: (stream: S, reason: EndReason) => string;
}

/** The open streams of one process, within bounds. */
export interface Streams<S extends OpenStream> {
  readonly count: number;
  hasRoomFor(caller: string, tenant: string): boolean;
  /** Adds a stream, which gets `opening` first. It ends at once if its client has left already. */
  add(stream: S, opening: string): void;
  /** Says whether the stream has not ended. */
  has(stream: S): boolean;
  write(stream: S, text: string): void;
  all(): Iterable<S>;
  tenants(): Iterable<readonly [tenant: string, streams: ReadonlySet<S>]>;
  ofTenant(tenant: string): ReadonlySet<S>;
  /** Ends the stream if its caller may not read it any more. */
  endUnlessAllowed(stream: S): void;
  /** Ends a stream with its last words. A client that does not read them in time is cut off. */
  end(stream: S, reason: EndReason, withinMs?: number): Promise<void>;
  /** Sends heartbeats, and ends streams whose caller lost its right: a secret expires without a record. */
  beat(): void;
  /** Resolves when all streams have ended. */
  endAll(): Promise<void>;
}

const NONE: ReadonlySet<never> = new Set();

export function createStreams<S extends OpenStream>({ bounds, onEnded, lastWords }: StreamsOptions<S>): Streams<S> {
  const byTenant = new Map<string, Set<S>>();
  const byCaller = new Map<string, number>();
  let count = 0;

  function* all(): Iterable<S> {
    for (const streams of byTenant.values()) yield* streams;
  }

  /** Removes a stream. False if it had ended already. */
  function remove(stream: S, reason: EndReason): boolean {
    const ofTenant = byTenant.get(stream.tenant);
    if (!ofTenant?.delete(stream)) return false;
    if (ofTenant.size === 0) byTenant.delete(stream.tenant);
    const left = byCaller.get(stream.caller)! - 1;
    if (left === 0) byCaller.delete(stream.caller);
    else byCaller.set(stream.caller, left);
    count--;
    onEnded(stream, reason);
    return true;
  }

  function write(stream: S, text: string): void {
    const { res } = stream;
    res.write(text);
    if (res.writableLength <= bounds.maxWaitingBytes || !remove(stream, 'too-slow')) return;
    res.destroy();
  }

  function end(stream: S, reason: EndReason, withinMs = LAST_WORDS_MS): Promise<void> {
    const { res } = stream;
    if (!remove(stream, reason)) return Promise.resolve();
    return new Promise((resolve) => {
      const cutOff = setTimeout(() => res.destroy(), withinMs);
      res.once('close', () => {
        clearTimeout(cutOff);
        resolve();
      });
      const words = lastWords?.(stream, reason);
      if (words === undefined) res.end();
      else res.end(words);
    });
  }

  function endUnlessAllowed(stream: S): void {
    const may = stream.mayRead();
    if (may === false) void end(stream, 'no-right');
    // If the right cannot be looked up, there is none.
    else if (may !== true)
      void may.then(
        (still) => (still ? undefined : end(stream, 'no-right')),
        () => end(stream, 'no-right'),
      );
  }

  return {
    get count() {
      return count;
    },
    hasRoomFor: (caller, tenant) =>
      count < bounds.maxStreams &&
      (byCaller.get(caller) ?? 0) < bounds.maxStreamsACaller &&
      (byTenant.get(tenant)?.size ?? 0) < bounds.maxStreamsATenant,
    add(stream, opening) {
      const { res, tenant, caller } = stream;
      byTenant.set(tenant, (byTenant.get(tenant) ?? new Set()).add(stream));
      byCaller.set(caller, (byCaller.get(caller) ?? 0) + 1);
      count++;
      res.on('close', () => remove(stream, 'closed'));
      // An error of a broken connection; `close` follows.
      res.on('error', () => undefined);
      // A client that left before this has no `close` to come.
      if (res.closed) remove(stream, 'closed');
      else write(stream, opening);
    },
    has: (stream) => byTenant.get(stream.tenant)?.has(stream) === true,
    write,
    all,
    tenants: () => byTenant.entries(),
    ofTenant: (tenant) => byTenant.get(tenant) ?? NONE,
    endUnlessAllowed,
    end,
    beat() {
      for (const stream of all()) {
        write(stream, HEARTBEAT);
        endUnlessAllowed(stream);
      }
    },
    async endAll() {
      await Promise.all([...all()].map((stream) => end(stream, 'stopping')));
    },
  };
}
