import { createEventParser } from './server-sent-events.js';
import { SILENCE_MS, type GuardState, type StreamOpening } from '../state.js';
import { retryAfterOf, type NodeClient } from './node-client.js';
import { failureCode, type ProblemLog } from '../problem-log.js';
import { readFeedEvent, writeKey, type FeedEvent } from './wire.js';

/** Milliseconds before a failed stream is opened again: doubled with each failure, up to the maximum. */
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;
/** Milliseconds during which resources that the stream leaves out are collected before a wider stream is opened. */
const GATHER_MS = 200;
/** Milliseconds within which a stream must begin. */
const OPENING_MS = 5_000;
/** Abort reason of a stream that a newer stream replaces. */
const REPLACED = 'replaced';

export interface FeedFollowerOptions {
  readonly client: NodeClient;
  readonly state: GuardState;
  readonly clock: () => number;
  /** Called after everything that arrived together has been applied. */
  readonly applied: () => void;
  readonly problem: ProblemLog;
}

/** Keeps a stream of `GET /feed` open and applies its events in order. */
export interface FeedFollower {
  start(): void;
  /** Opens a wider stream if the current one leaves out needed resources. The current stream stays until the new one has started. */
  widen(): void;
  /** Closes the current stream, which does not bring what it should; another is opened. */
  reconnect(): void;
  stop(): void;
}

export function createFeedFollower({ client, state, clock, applied, problem }: FeedFollowerOptions): FeedFollower {
  const open = new Map<number, AbortController>();
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isStopped = false;

  function openAfter(delayMs: number): void {
    if (isStopped || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      openNow();
    }, delayMs);
  }

  function openNow(): void {
    const opening = state.openStream();
    const giveUp = new AbortController();
    open.set(opening.stream, giveUp);
    void follow(opening, giveUp);
  }

  async function follow(opening: StreamOpening, giveUp: AbortController): Promise<void> {
    const retryAfterMs = await read(opening, giveUp);
    open.delete(opening.stream);
    state.streamEnded(opening.stream);
    // Another stream is open: either it has replaced this one, or this one was to replace it and could not be opened.
    if (open.size > 0)
      return giveUp.signal.reason === REPLACED ? undefined : openAfter(Math.max(retryAfterMs, MAX_RETRY_MS));
    openAfter(Math.max(retryAfterMs, backoffMs(failures)));
  }

  /** Reads a stream to its end. Resolves with the milliseconds that the node asks to wait before the next attempt. */
  async function read(opening: StreamOpening, giveUp: AbortController): Promise<number> {
    let silence = setTimeout(() => giveUp.abort(), OPENING_MS);
    failures++;
    try {
      const response = await client.openStream('/feed', queryOf(opening), giveUp.signal);
      if (response.status !== 200) {
        await response.body?.cancel();
        problem('the feed is refused', { status: response.status });
        return (retryAfterOf(response) ?? 0) * 1000;
      }
      const decoder = new TextDecoder();
      let hasApplied = false;
      const parse = createEventParser((event) => {
        const one = readFeedEvent(event);
        if (one === undefined) throw new TypeError('an event of the feed cannot be read');
        apply(opening.stream, one);
        hasApplied = true;
      });
      for await (const chunk of response.body ?? []) {
        hasApplied = false;
        state.heard(opening.stream, clock());
        clearTimeout(silence);
        silence = setTimeout(() => giveUp.abort(), SILENCE_MS);
        parse(decoder.decode(chunk, { stream: true }));
        // Once for everything that arrived together: a renewal must not state a seq while later events of the piece are not applied.
        if (hasApplied) applied();
      }
    } catch (error) {
      if (!isStopped && giveUp.signal.reason !== REPLACED) problem('the feed broke off', { code: failureCode(error) });
    } finally {
      clearTimeout(silence);
      giveUp.abort();
    }
    return 0;
  }

  function apply(stream: number, event: FeedEvent): void {
    switch (event.kind) {
      case 'start':
      case 'reset':
        failures = 0;
        if (event.kind === 'start') state.started(stream, event.seq, event.interest, clock());
        else state.reset(stream, event.seq, event.interest, clock());
        for (const [other, giveUp] of open) if (other < stream) giveUp.abort(REPLACED);
        return undefined;
      case 'rule':
        return state.ruled(stream, event.seq, event.selector);
      case 'forget':
        return state.forget(stream, event.seq, event.all);
      case 'seq':
        return state.advanced(stream, event.seq);
      default:
        return event satisfies never;
    }
  }

  return {
    start: openNow,
    widen() {
      if (state.wantsMore) openAfter(GATHER_MS);
    },
    reconnect() {
      for (const giveUp of open.values()) giveUp.abort();
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
      for (const giveUp of open.values()) giveUp.abort();
    },
  };
}

function queryOf({ after, also }: StreamOpening): Record<string, string> {
  const keys = also === '*' ? '*' : also.map(writeKey).join(',');
  return { ...(after === undefined ? {} : { after: String(after) }), ...(keys === '' ? {} : { also: keys }) };
}

/** Computes the wait, drawn from its upper half so that guards that lost a node together do not return together. */
function backoffMs(failures: number): number {
  if (failures === 0) return Math.random() * FIRST_RETRY_MS;
  return Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
}
