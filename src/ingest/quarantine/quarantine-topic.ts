import type { Kafka, KafkaProducer } from '../../platform/kafka/index.js';
import { type Log } from '../../platform/log/index.js';
import { type Metrics } from '../../platform/observe/index.js';
import type { Refused } from '../append/quarantine.pg.js';

/**
 * Topic with the reason and position of refused events, never their bytes (design, section 3). A batch gives one notice for each place
 * and reason.
 */
export const QUARANTINE_TOPIC = 'rescind.quarantine';

/** Messages that may wait for the broker. Beyond them the oldest are dropped and counted. The quarantine itself has all refused events. */
const MAX_WAITING = 10_000;

export interface QuarantineTopic {
  /** Queues notices of refused events. Never throws and never waits. */
  tell(refused: readonly Refused[]): void;
  stop(): Promise<void>;
}

/** Publishes notices for watchers of the topic. Best effort: the quarantine in the database is authoritative. */
export function createQuarantineTopic({
  kafka,
  log,
  metrics,
}: {
  kafka: Kafka;
  log: Log;
  metrics: Metrics;
}): QuarantineTopic {
  const dropped = metrics.counter(
    'rescind_quarantine_notices_dropped_total',
    'Notices of refused events that the broker did not take.',
  );
  let waiting: { key: string | null; value: string }[] = [];
  let connected: Promise<KafkaProducer> | undefined;
  let sending: Promise<void> | undefined;

  async function connect(): Promise<KafkaProducer> {
    await kafka.ensureTopics([QUARANTINE_TOPIC]);
    return kafka.connectProducer();
  }

  async function disconnect(): Promise<void> {
    const open = connected;
    connected = undefined;
    await open?.then((producer) => producer.close()).catch(() => undefined);
  }

  async function send(): Promise<void> {
    while (waiting.length > 0) {
      const messages = waiting;
      waiting = [];
      try {
        connected ??= connect();
        await (await connected).send({ topic: QUARANTINE_TOPIC, messages });
      } catch (error) {
        await disconnect();
        dropped.inc(messages.length);
        log.warn({ err: error, notices: messages.length }, 'cannot send notices of refused events; they are dropped');
      }
    }
  }

  return {
    tell(refused) {
      for (const { first, last, count } of alike(refused))
        waiting.push({ key: first.rejected.source?.name ?? null, value: JSON.stringify(noticeOf(first, last, count)) });
      if (waiting.length > MAX_WAITING) {
        dropped.inc(waiting.length - MAX_WAITING);
        waiting = waiting.slice(-MAX_WAITING);
      }
      sending ??= send().finally(() => {
        sending = undefined;
      });
    },
    async stop() {
      await sending;
      await disconnect();
    },
  };
}

interface Alike {
  readonly first: Refused;
  last: Refused;
  count: number;
}

/** Groups events that were refused for the same reason in the same place, so that a flood of bad records is not a flood of notices. */
function alike(refused: readonly Refused[]): Iterable<Alike> {
  const found = new Map<string, Alike>();
  for (const one of refused) {
    const { code, source, arrived } = one.rejected;
    const place = one.offset
      ? `${one.offset.topic}/${one.offset.partition}`
      : arrived.door.kind === 'http'
        ? arrived.door.caller.id
        : '';
    const key = `${code} ${source?.id} ${place}`;
    const same = found.get(key);
    if (same) {
      same.last = one;
      same.count += 1;
    } else found.set(key, { first: one, last: one, count: 1 });
  }
  return found.values();
}

function noticeOf({ rejected, offset }: Refused, last: Refused, count: number): Readonly<Record<string, unknown>> {
  const { code, source, arrived, position } = rejected;
  const lastPosition = last.rejected.position;
  return {
    code,
    source: source?.uri ?? null,
    count,
    door: arrived.door.kind,
    ...(offset && position && lastPosition
      ? {
          topic: offset.topic,
          partition: offset.partition,
          offset: String(position.offset),
          last_offset: String(lastPosition.offset),
        }
      : {}),
    ...(arrived.door.kind === 'http' ? { caller: arrived.door.caller.id } : {}),
  };
}
