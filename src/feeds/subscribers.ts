import type { ServerResponse } from 'node:http';
import type { Log } from '../platform/log/index.js';
import type { Metrics } from '../platform/observe/index.js';
import { frame, HEARTBEAT } from './frames.js';
import { isConcerned, type Interest } from './interest.js';
import type { Recent } from './recent.js';

/** Bytes that may wait for a subscriber that does not read. Beyond them its stream ends. A longer continuation is a reset. */
export const MAX_WAITING_BYTES = 1024 * 1024;

/** Streams of one node, of one caller and of one tenant. A further one is refused. */
export const MAX_SUBSCRIBERS = 10_000;
export const MAX_SUBSCRIBERS_A_CALLER = 1_000;
export const MAX_SUBSCRIBERS_A_TENANT = 2_500;

/** Interval of heartbeats. A guard takes 12 s of silence for a broken stream. */
export const HEARTBEAT_MS = 5_000;

/** How long a client has to read the last bytes when the streams end, before it is cut off. */
const LAST_WORDS_MS = 1_000;

export interface Subscriber {
  readonly res: ServerResponse;
  readonly tenant: string;
  readonly caller: string;
  readonly interest: Interest;
  /** Whether its caller is still a guard of this tenant. */
  readonly isGuard: () => boolean;
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

type EndReason = 'closed' | 'too-slow' | 'no-guard' | 'stopping';

export function createSubscribers(options: SubscribersOptions): Subscribers {
  const { metrics, log, maxWaitingBytes = MAX_WAITING_BYTES, maxSubscribers = MAX_SUBSCRIBERS } = options;
  const { maxSubscribersACaller = MAX_SUBSCRIBERS_A_CALLER, maxSubscribersATenant = MAX_SUBSCRIBERS_A_TENANT } =
    options;
  const ended = metrics.counter('rescind_feed_streams_ended_total', 'Streams of guards that ended, by why', ['reason']);
  const byTenant = new Map<string, Set<Subscriber>>();
  const byCaller = new Map<string, number>();
  let count = 0;
  metrics.gauge('rescind_feed_subscribers', 'Streams of guards that are open.', [], () => count);

  function* all(): Iterable<Subscriber> {
    for (const subscribers of byTenant.values()) yield* subscribers;
  }

  /** Removes a subscriber. False if it had ended already. */
  function remove(subscriber: Subscriber, reason: EndReason): boolean {
    const { tenant, caller } = subscriber;
    const ofTenant = byTenant.get(tenant);
    if (!ofTenant?.delete(subscriber)) return false;
    if (ofTenant.size === 0) byTenant.delete(tenant);
    const left = byCaller.get(caller)! - 1;
    if (left === 0) byCaller.delete(caller);
    else byCaller.set(caller, left);
    count--;
    ended.inc({ reason });
    return true;
  }

  function write(subscriber: Subscriber, text: string): void {
    const { res, caller } = subscriber;
    res.write(text);
    if (res.writableLength <= maxWaitingBytes || !remove(subscriber, 'too-slow')) return;
    log.warn({ caller, bytes: res.writableLength }, 'a guard does not read its feed; the stream ends');
    res.destroy();
  }

  function endUnlessGuard(subscriber: Subscriber): void {
    if (!subscriber.isGuard() && remove(subscriber, 'no-guard')) subscriber.res.end();
  }

  return {
    hasRoomFor: (caller, tenant) =>
      count < maxSubscribers &&
      (byCaller.get(caller) ?? 0) < maxSubscribersACaller &&
      (byTenant.get(tenant)?.size ?? 0) < maxSubscribersATenant,
    add(subscriber, opening) {
      const { res, tenant, caller } = subscriber;
      byTenant.set(tenant, (byTenant.get(tenant) ?? new Set()).add(subscriber));
      byCaller.set(caller, (byCaller.get(caller) ?? 0) + 1);
      count++;
      res.on('close', () => remove(subscriber, 'closed'));
      // An error of a broken connection; `close` follows.
      res.on('error', () => undefined);
      write(subscriber, opening);
    },
    tell(applied, head) {
      const caughtUp = frame('seq', head, {});
      for (const [tenant, subscribers] of byTenant) {
        const own = applied.filter((one) => one.tenant === tenant && one.effect.kind !== 'seq');
        for (const subscriber of subscribers)
          write(subscriber, own.length === 0 ? caughtUp : textFor(subscriber, own, head));
        for (const { effect } of own) {
          if (effect.kind !== 'forget' || effect.caller === undefined) continue;
          for (const subscriber of subscribers) if (subscriber.caller === effect.caller) endUnlessGuard(subscriber);
        }
      }
    },
    tellAll(text) {
      for (const subscriber of all()) write(subscriber, text);
    },
    beat() {
      for (const subscriber of all()) {
        write(subscriber, HEARTBEAT);
        endUnlessGuard(subscriber);
      }
    },
    async end() {
      await Promise.all([...all()].map((subscriber) => endOne(subscriber, () => remove(subscriber, 'stopping'))));
    },
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

function endOne({ res }: Subscriber, onEnd: () => void): Promise<void> {
  onEnd();
  return new Promise((resolve) => {
    const cutOff = setTimeout(() => res.destroy(), LAST_WORDS_MS);
    res.once('close', () => {
      clearTimeout(cutOff);
      resolve();
    });
    res.end();
  });
}
