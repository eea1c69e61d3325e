import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { RescindError } from '../../contracts/index.js';
import type { Caller, ControlFollower, ControlLog, ControlRecord, Seq } from '../../control/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Metrics } from '../../platform/observe/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import { maySeePayloads, type Authentication } from '../../registry/index.js';
import { frame, STREAM_HEADERS } from '../sse/frames.js';
import { createStreams, type EndReason, type OpenStream } from '../sse/streams.js';
import type { NewsOfFindings } from '../findings-news.js';
import { isRuleNews } from './events.js';
import { createGuardChannel } from './guard-channel.pg.js';
import { idOf, parsePosition, type Position } from './position.js';
import { createProgress } from './progress.js';
import { createWatcher, type Watcher } from './watcher.js';

/** Streams of one process, of one tenant and of one caller. A further one is refused. */
export const MAX_WATCHERS = 200;
export const MAX_WATCHERS_A_TENANT = 40;
export const MAX_WATCHERS_A_CALLER = 20;
/** Bytes beyond which a stream is cut off. A reader that is slow is ended long before, with an event that says so. */
const MAX_WAITING_BYTES = 2 * 1024 * 1024;
/** Interval of heartbeats, and of looking whether a secret has expired. */
const HEARTBEAT_MS = 5_000;
/** Pause between two looks for news of findings. */
const LOOK_EVERY_MS = 500;
/** How long a reader that stands behind what this process has applied is waited for: it may have read at a faster process. */
const AHEAD_WAIT_MS = 5_000;
/** How long a slow reader has to read the event that says so. */
const SLOW_END_MS = 5_000;
/** Reconnect delay that clients are told. */
const RETRY_MS = 2_000;

export interface WatchOptions {
  readonly follower: Pick<
    ControlFollower,
    'state' | 'onApplied' | 'whenApplied' | 'watchInForce' | 'inForceUpTo' | 'measured'
  >;
  readonly controlLog: Pick<ControlLog, 'readRules'>;
  /** Connections of its own: one hears the guards, the others read. */
  readonly pool: Pool;
  readonly findings: NewsOfFindings;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly limits?: Partial<WatchLimits>;
}

/** Overrides of the constants of the same names. */
export interface WatchLimits {
  readonly maxWatchers: number;
  readonly maxWatchersATenant: number;
  readonly maxWatchersACaller: number;
  readonly heartbeatMs: number;
  readonly slowAfterMs: number;
}

/** A request that the guard of the route has let in. */
export interface WatchRequest {
  readonly caller: Caller;
  /** Identifies the caller again, to end a stream whose caller has lost its right. */
  readonly identifyAgain: () => Authentication | Promise<Authentication>;
  readonly lastEventId: string | undefined;
}

/** `GET /v1/stream`: what happens to the findings, rules and sources of a tenant, for people who watch. */
export interface Watch {
  /** Opens a stream. Rejects with a `RescindError` before anything is sent. `take` hands over the response. */
  open(request: WatchRequest, take: () => ServerResponse): Promise<void>;
  stop(): Promise<void>;
}

interface Watching extends OpenStream {
  watcher?: Watcher;
}

export function createWatch(options: WatchOptions): Watch {
  const { follower, controlLog, pool, findings, metrics, log, limits = {} } = options;
  const { state } = follower;
  const ended = metrics.counter('rescind_watch_streams_ended_total', 'Streams of /v1/stream that ended, by why.', [
    'reason',
  ]);
  const streams = createStreams<Watching>({
    bounds: {
      maxWaitingBytes: MAX_WAITING_BYTES,
      maxStreams: limits.maxWatchers ?? MAX_WATCHERS,
      maxStreamsATenant: limits.maxWatchersATenant ?? MAX_WATCHERS_A_TENANT,
      maxStreamsACaller: limits.maxWatchersACaller ?? MAX_WATCHERS_A_CALLER,
    },
    onEnded({ tenant, watcher }, reason) {
      ended.inc({ reason });
      watcher?.wake();
      if (streams.ofTenant(tenant).size === 0) progress.forget(tenant);
    },
    lastWords: ({ watcher }, reason) => lastWords(watcher?.position, reason),
  });
  const progress = createProgress({ watchInForce: follower.watchInForce, onStep: wakeAll });
  const guards = createGuardChannel({
    pool,
    log,
    onHeld: ({ tenant, caller, guard, held }) => progress.guardHolds(tenant, caller, guard, held),
  });
  const ending = new AbortController();
  let looking: Promise<void> | undefined;
  metrics.gauge('rescind_watch_streams', 'Streams of /v1/stream that are open.', [], () => streams.count);

  follower.onApplied(onApplied);
  const heartbeat = setInterval(() => streams.beat(), limits.heartbeatMs ?? HEARTBEAT_MS).unref();

  function wakeAll(tenant: string): void {
    for (const { watcher } of streams.ofTenant(tenant)) watcher?.wake();
  }

  function onApplied(records: readonly ControlRecord[]): void {
    for (const record of records) {
      const watching = streams.ofTenant(record.tenant);
      if (watching.size === 0) continue;
      if (isRuleNews(record)) {
        progress.follow(record.tenant, record, { isTimed: true });
        wakeAll(record.tenant);
      }
      if (record.kind === 'caller.changed')
        for (const stream of watching) if (stream.caller === record.subject) streams.endUnlessAllowed(stream);
    }
  }

  /** Looks for news of findings of every tenant that somebody watches. */
  async function look(): Promise<void> {
    while (!ending.signal.aborted) {
      for (const tenant of [...streams.tenants()].map(([id]) => id)) {
        try {
          const last = await findings.last(tenant);
          for (const { watcher } of streams.ofTenant(tenant))
            if (watcher !== undefined && last > watcher.position.news) watcher.wake(last);
        } catch (err) {
          log.warn({ err }, 'cannot look for news of findings; retrying');
        }
      }
      await delay(LOOK_EVERY_MS, undefined, { signal: ending.signal, ref: false }).catch(() => undefined);
    }
  }

  /** Finds where the stream begins, and what its reader has to be told of it first. */
  async function beginning(tenant: string, asked: Position | undefined): Promise<Beginning> {
    const lastNews = await findings.last(tenant);
    if (asked === undefined)
      return { from: { seq: state.head, news: lastNews }, inForceUpTo: state.head, lastNews, gaps: [] };
    if (asked.seq > state.head)
      await Promise.race([follower.whenApplied(asked.seq), delay(AHEAD_WAIT_MS, undefined, { ref: false })]);
    const inForceUpTo = await follower.inForceUpTo(tenant);
    const isAhead = { rules: asked.seq > state.head, findings: asked.news > lastNews };
    return {
      from: { seq: isAhead.rules ? state.head : asked.seq, news: isAhead.findings ? lastNews : asked.news },
      inForceUpTo,
      lastNews,
      gaps: (['rules', 'findings'] as const).filter((of) => isAhead[of]),
    };
  }

  return {
    async open({ caller, identifyAgain, lastEventId }, take) {
      const asked = lastEventId === undefined ? undefined : parsePosition(lastEventId);
      if (lastEventId !== undefined && asked === undefined)
        throw new RescindError('invalid-request', {
          detail: '`Last-Event-ID` is not the id of an event of this stream',
        });
      if (ending.signal.aborted) throw new RescindError('overloaded', { detail: 'this process is stopping' });
      const { tenant } = caller;
      const seesPayloads = maySeePayloads(caller);
      const begin = await beginning(tenant, asked);
      if (!streams.hasRoomFor(caller.id, tenant))
        throw new RescindError('too-many-requests', {
          detail: 'too many streams are open; close one, or try again later',
        });
      guards.start();
      looking ??= look();
      const res = take();
      const stream: Watching = {
        res,
        tenant,
        caller: caller.id,
        async mayRead() {
          const now = (await identifyAgain()).caller;
          if (now?.id !== caller.id || now.tenant !== tenant || now.roles.audit === undefined) return false;
          return maySeePayloads(now) || !seesPayloads;
        },
      };
      stream.watcher = createWatcher({
        stream,
        seesPayloads,
        ...begin,
        head: () => state.head,
        readRules: (of, after, upTo, limit) => controlLog.readRules(of, { after, upTo, limit }, pool),
        findings,
        progress,
        nodes: () => follower.measured().nodes,
        isOpen: () => streams.has(stream),
        write: (text) => streams.has(stream) && streams.write(stream, text),
        endSlow() {
          log.warn({ caller: caller.id }, 'a reader of /v1/stream does not read; the stream ends');
          void streams.end(stream, 'too-slow', SLOW_END_MS);
        },
        log,
        ...(limits.slowAfterMs === undefined ? {} : { slowAfterMs: limits.slowAfterMs }),
      });
      res.writeHead(200, { ...STREAM_HEADERS, 'x-content-type-options': 'nosniff' });
      streams.add(stream, openingOf(begin));
      void stream.watcher.run();
    },
    async stop() {
      ending.abort();
      clearInterval(heartbeat);
      await streams.endAll();
      await Promise.all([guards.stop(), looking]);
    },
  };
}

interface Beginning {
  readonly from: Position;
  readonly inForceUpTo: Seq;
  readonly lastNews: bigint;
  /** News that the reader has heard and that are not here: the database was restored. */
  readonly gaps: readonly ('rules' | 'findings')[];
}

function openingOf({ from, gaps }: Beginning): string {
  const id = idOf(from);
  const start = `retry: ${RETRY_MS}\n${frame('start', id, { position: id, heartbeat_s: HEARTBEAT_MS / 1000 })}`;
  return start + gaps.map((of) => frame('gap', id, { of, why: 'ahead' })).join('');
}

const WORDS: Readonly<Record<EndReason, string>> = {
  closed: 'the client closed the stream',
  'too-slow': 'the stream was not read; go on with Last-Event-ID',
  'no-right': 'the key may not read this any more',
  stopping: 'this process stops; go on with Last-Event-ID',
};

const lastWords = (position: Position | undefined, reason: EndReason): string =>
  position === undefined ? '' : frame('end', idOf(position), { reason, detail: WORDS[reason] });
