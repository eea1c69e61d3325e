import { setTimeout as delay } from 'node:timers/promises';
import { RescindError } from '../../contracts/index.js';
import { createLogCopies, type ControlFollower, type ControlLog } from '../../control/index.js';
import { DEFAULT_TOPIC_PREFIX } from '../../platform/config/index.js';
import type { Kafka, TopicWriter } from '../../platform/kafka/index.js';
import { type Log } from '../../platform/log/index.js';
import { type Metrics } from '../../platform/observe/index.js';
import { type Pool } from '../../platform/postgres/index.js';
import { createControlSeal } from './control-message.js';
import { findPublished, requireContinued, type Published } from './history.js';
import { storedOffset, takeLead } from './lead.pg.js';
import { findDue, noteWrittenAnew } from './names-erased.pg.js';
import { CONTROL_SEGMENT_MS, controlTopic, transactionalId } from './names.js';
import { Publisher } from './publisher.js';

/** A transaction takes some 20 ms, and the brokers take as long to end it. Records that come meanwhile share the next transaction. */
const GATHER_MS = 20;
/** The follower announces records. The poll covers an announcement that came a moment too early. */
const POLL_MS = 1_000;
/** Delay before a process that does not publish tries to, and before one that failed tries again. */
const RETRY_MS = 1_000;
/** Codes that an operator must decide about. Every other failure is retried. */
const REFUSALS: ReadonlySet<string> = new Set(['control-log-behind', 'control-topic-corrupt', 'control-topic-sealed']);
/** How long after an erasure the topic is written anew: by then every record that held the name lies in a closed file. */
const ANEW_AFTER_MS = CONTROL_SEGMENT_MS + 3_600_000;
/** How often erasures are looked for, and how soon a writing that failed is tried again. */
const ANEW_CHECK_MS = 10 * 60_000;
/** How often dead rules get tombstones. */
const SWEEP_MS = 6 * 3_600_000;

export interface TopicFeedsOptions {
  readonly kafka: Kafka;
  /** Seals control records ({@link createControlSeal}). */
  readonly key: Buffer;
  readonly pool: Pool;
  readonly controlLog: ControlLog;
  readonly follower: ControlFollower;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly prefix?: string;
  readonly sweepMs?: number;
  readonly anewAfterMs?: number;
  readonly anewCheckMs?: number;
  /** Clock in epoch milliseconds. */
  readonly now?: () => number;
}

/** Publishes the control log to Kafka, in one process of a deployment at a time. Any process that runs it may take over. */
export interface TopicFeeds {
  start(): void;
  /** Names what an operator must decide about. Undefined while it publishes, waits for its turn, or Kafka is away. */
  notReadyReason(): string | undefined;
  stop(): Promise<void>;
}

export function createTopicFeeds(options: TopicFeedsOptions): TopicFeeds {
  const { kafka, pool, controlLog, follower, log, prefix = DEFAULT_TOPIC_PREFIX, now = Date.now } = options;
  const { state } = follower;
  const copies = createLogCopies({ pool });
  const reader = kafka.topicReader();
  const topic = controlTopic(prefix);
  const seal = createControlSeal(options.key);
  /** Set while this process publishes. */
  let publisher: Publisher | undefined;
  let refusal: string | undefined;
  let stopping = false;
  const nap = createNap();
  let running: Promise<void> = Promise.resolve();
  const errors = watch(options.metrics, { publisher: () => publisher, isRefused: () => refusal !== undefined });
  const upkeep = createUpkeep(options, topic, errors);

  const isStopping = (): boolean => stopping;

  async function run(): Promise<void> {
    while (!isStopping()) {
      try {
        await lead();
      } catch (error) {
        noteFailure(error);
      }
      if (!isStopping()) await nap.take(RETRY_MS);
    }
    await reader.stop();
  }

  function noteFailure(error: unknown): void {
    errors.inc();
    if (!(error instanceof RescindError && REFUSALS.has(error.code))) {
      log.warn({ err: error }, 'cannot publish the control log; starting again');
      return;
    }
    if (refusal === undefined)
      log.error({ detail: error.detail }, 'the control log is not published until an operator decides');
    refusal = error.detail;
  }

  /** Publishes as long as this process holds the right to. Returns if another process holds it. */
  async function lead(): Promise<void> {
    const right = await takeLead(pool);
    if (!right) return;
    const writer = kafka.topicWriter(transactionalId(prefix));
    try {
      // Checked first: a deployment that does not own the topic must not fence out the one that does.
      await readPublished();
      await writer.connect();
      const leading = new Publisher({ right, writer, reader, copies, state, seal, prefix, log, now });
      await leading.begin(readPublished);
      refusal = undefined;
      publisher = leading;
      log.info({ topics: leading.topics }, 'this process publishes the control log to Kafka');
      while (!isStopping() && !right.isLost()) {
        if (await leading.publishNext()) await delay(GATHER_MS);
        else {
          await upkeep(leading, writer);
          await nap.take(POLL_MS);
        }
      }
    } finally {
      publisher = undefined;
      await writer.close();
      right.release();
    }
  }

  /** Returns the last control record that was published. Throws if it is not this database's. */
  async function readPublished(): Promise<Published | undefined> {
    const { last } = await findPublished({ reader, topic, seal, from: await storedOffset(pool, topic) });
    if (last) await requireContinued(last.record, topic, { copies, controlLog });
    return last;
  }

  follower.onApplied(() => {
    if (publisher) nap.wake();
  });

  return {
    start() {
      running = run();
    },
    notReadyReason: () => refusal,
    async stop() {
      stopping = true;
      nap.wake();
      await running;
    },
  };
}

/** Writes tombstones for dead rules, and the topic anew after an erasure, each at long intervals and between two records. */
function createUpkeep(
  {
    pool,
    log,
    sweepMs = SWEEP_MS,
    anewAfterMs = ANEW_AFTER_MS,
    anewCheckMs = ANEW_CHECK_MS,
    now = Date.now,
  }: TopicFeedsOptions,
  topic: string,
  errors: { inc(): void },
): (leading: Publisher, writer: TopicWriter) => Promise<void> {
  let sweptAt = 0;
  let checkedAt = 0;

  async function sweepWhenDue(leading: Publisher): Promise<void> {
    const beganAt = now();
    if (beganAt - sweptAt < sweepMs) return;
    await leading.sweep();
    sweptAt = beganAt;
  }

  async function writeAnewWhenDue(leading: Publisher, writer: TopicWriter): Promise<void> {
    const beganAt = now();
    if (beganAt - checkedAt < anewCheckMs) return;
    checkedAt = beganAt;
    const due = await findDue(pool, anewAfterMs);
    if (due === undefined) return;
    try {
      await writer.requireDeletable(topic);
    } catch (err) {
      errors.inc();
      log.error({ err, topic }, 'a topic holds names of erased people, and its records cannot be deleted; retrying');
      return;
    }
    await leading.writeAnew();
    await noteWrittenAnew(pool, due);
  }

  return async (leading, writer) => {
    await sweepWhenDue(leading);
    await writeAnewWhenDue(leading, writer);
  };
}

/** Waits for a time. `wake` ends the present wait, or the next one if there is none. */
function createNap(): { take(ms: number): Promise<void>; wake(): void } {
  let abort = new AbortController();
  return {
    async take(ms) {
      await delay(ms, undefined, { signal: abort.signal }).catch(() => undefined);
      abort = new AbortController();
    },
    wake: () => abort.abort(),
  };
}

/** Makes the metrics. Returns the counter of failures. */
function watch(
  metrics: Metrics,
  { publisher, isRefused }: { readonly publisher: () => Publisher | undefined; readonly isRefused: () => boolean },
): { inc(): void } {
  const errors = metrics.counter(
    'rescind_topic_feed_errors_total',
    'Times that publishing the control log to Kafka broke off; it begins again.',
  );
  metrics.gauge(
    'rescind_topic_feed_leading',
    'Whether this process publishes the control log to Kafka (1) or another one does (0).',
    [],
    () => Number(publisher() !== undefined),
  );
  metrics.gauge(
    'rescind_topic_feed_refused',
    'Whether publishing waits for an operator (1): the topic holds another history than the database.',
    [],
    () => Number(isRefused()),
  );
  metrics.observed(
    'rescind_topic_feed_lag_records',
    'Control records that are not published to a topic yet, in the process that publishes.',
    ['topic'],
    () => (publisher()?.lags() ?? []).map(([topic, records]) => [{ topic }, records] as const),
  );
  return errors;
}
