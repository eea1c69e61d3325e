import type { Log } from '../platform/log/index.js';
import type { Metrics } from '../platform/observe/index.js';
import { isConcerned, type Interest } from './interest.js';
import type { Recent } from './recent.js';
import { frame } from './sse/frames.js';
import { createStreams, type OpenStream } from './sse/streams.js';

/** Bytes that may wait for a subscriber that does not read. Beyond them its stream ends. A longer continuation is a reset. */
export const MAX_WAITING_BYTES = 1024 * 1024;

/** Streams of one node, of one caller and of one tenant. A further one is refused. */
export const MAX_SUBSCRIBERS = 10_000;
export const MAX_SUBSCRIBERS_A_CALLER = 1_000;
export const MAX_SUBSCRIBERS_A_TENANT = 2_500;

/** Interval of heartbeats. A guard takes 12 s of silence for a broken stream. */
export const HEARTBEAT_MS = 5_000;

/** `mayRead`: whether its caller is still a guard of this tenant. */
export interface Subscriber extends OpenStream {
  readonly interest: Interest;
}

export interface SubscribersOptions {
  readonly metrics: Metrics;
  readonly log: Log;
  readonly maxWaitingBytes?: number;
  readonly maxSubscribers?: number;
  readonly maxSubscribersACaller?: number;
  readonly maxSubscribersATenant?: number;
}

/** The open streams of one node. */
export interface Subscribers {
  hasRoomFor(caller: string, tenant: string): boolean;
  /** Adds a subscriber, which gets `opening` first and then everything that follows. */
  add(subscriber: Subscriber, opening: string): void;
  /** Sends records that were just applied. The last id that each subscriber gets is the head. */
  tell(applied: readonly Recent[], head: bigint): void;
  tellAll(text: string): void;
  /** Sends heartbeats, and ends streams whose caller is no longer a guard: a secret expires without a record. */
  beat(): void;
  /** Resolves when all streams have ended. */
  end(): Promise<void>;
}

export function createSubscribers(options: SubscribersOptions): Subscribers {
  const { metrics, log } = options;
  const ended = metrics.counter('rescind_feed_streams_ended_total', 'Streams of guards that ended, by why', ['reason']);
  const streams = createStreams<Subscriber>({
    bounds: {
      maxWaitingBytes: options.maxWaitingBytes ?? MAX_WAITING_BYTES,
      maxStreams: options.maxSubscribers ?? MAX_SUBSCRIBERS,
      maxStreamsACaller: options.maxSubscribersACaller ?? MAX_SUBSCRIBERS_A_CALLER,
      maxStreamsATenant: options.maxSubscribersATenant ?? MAX_SUBSCRIBERS_A_TENANT,
    },
    onEnded({ caller, res }, reason) {
      ended.inc({ reason: reason === 'no-right' ? 'no-guard' : reason });
      if (reason === 'too-slow')
        log.warn({ caller, bytes: res.writableLength }, 'a guard does not read its feed; the stream ends');
    },
  });
  metrics.gauge('rescind_feed_subscribers', 'Streams of guards that are open.', [], () => streams.count);

  return {
    hasRoomFor: streams.hasRoomFor,
    add: streams.add,
    tell(applied, head) {
      const caughtUp = frame('seq', head, {});
      for (const [tenant, subscribers] of streams.tenants()) {
        const own = applied.filter((one) => one.tenant === tenant && one.effect.kind !== 'seq');
        for (const subscriber of subscribers)
          streams.write(subscriber, own.length === 0 ? caughtUp : textFor(subscriber, own, head));
        for (const { effect } of own) {
          if (effect.kind !== 'forget' || effect.caller === undefined) continue;
          for (const subscriber of subscribers)
            if (subscriber.caller === effect.caller) streams.endUnlessAllowed(subscriber);
        }
      }
    },
    tellAll(text) {
      for (const subscriber of streams.all()) streams.write(subscriber, text);
    },
    beat: streams.beat,
    end: streams.endAll,
  };
}

/** Formats the tenant's records that concern the subscriber, and the head that it has caught up with. */
export function textFor(
  { tenant, caller, interest }: Pick<Subscriber, 'tenant' | 'caller' | 'interest'>,
  records: readonly Recent[],
  head: bigint,
): string {
  let text = '';
  let last: bigint | undefined;
  for (const { seq, tenant: of, effect } of records) {
    if (of !== tenant || effect.kind === 'seq') continue;
    if (
      effect.kind === 'rule'
        ? !isConcerned(interest, effect.resource)
        : effect.caller !== undefined && effect.caller !== caller
    )
      continue;
    text += effect.frame;
    last = seq;
  }
  return last === head ? text : text + frame('seq', head, {});
}
