import { setTimeout as delay } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import { RescindError } from '../../contracts/index.js';
import {
  createLogCopies,
  type ControlFollower,
  type ControlLog,
  type RecordCopy,
  type Seq,
  type Tenant,
} from '../../control/index.js';
import { DEFAULT_TOPIC_PREFIX } from '../../platform/config/index.js';
import { type TopicSettings } from '../../platform/kafka/index.js';
import { type Log } from '../../platform/log/index.js';
import { type Metrics } from '../../platform/observe/index.js';
import { type Pool } from '../../platform/postgres/index.js';
import { createControlSeal } from './control-message.js';
import { findPublished, requireContinued, type Published } from './history.js';
import { storedOffset, takeLead, type Lead } from './lead.pg.js';
import {
  controlTopic,
  controlTopicSettings,
  revocationsTopic,
  revocationsTopicSettings,
  SEQ_HEADER,
  transactionalId,
} from './names.js';
import { ruleMessages } from './rule-message.js';
import { findGone } from './sweep.js';
import { createTopicReader } from './topic-reader.kafka.js';
import { createTopicWriter, type TopicMessage, type TopicWriter } from './topic-writer.kafka.js';

/** Control records of one transaction. */
const RECORDS_A_TRANSACTION = 500;
/** A transaction takes some 20 ms, and the brokers take as long to end it. Records that come meanwhile share the next transaction. */
const GATHER_MS = 20;
/** The follower announces records. The poll covers an announcement that came a moment too early. */
const POLL_MS = 1_000;
/** Delay before a process that does not publish tries to, and before one that failed tries again. */
const RETRY_MS = 1_000;
/** How often cursors of topics without new records are stored. After a crash, that much is read again. */
const IDLE_MOVE_MS = 10_000;
/** Codes that an operator must decide about. Every other failure is retried. */
const REFUSALS: ReadonlySet<string> = new Set(['control-log-behind', 'control-topic-corrupt', 'control-topic-sealed']);
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

interface Position {
  /** Seq up to which the control log is published to the topic. */
  seq: Seq;
  /** The same seq as stored in the database. */
  stored: Seq;
  lastOffset: bigint | null;
}

export function createTopicFeeds(options: TopicFeedsOptions): TopicFeeds {
  const {
    kafka,
    pool,
    controlLog,
    follower,
    log,
    metrics,
    prefix = DEFAULT_TOPIC_PREFIX,
    sweepMs = SWEEP_MS,
    now = Date.now,
  } = options;
  const { state } = follower;
  const copies = createLogCopies({ pool });
  const reader = createTopicReader({ kafka });
  const control = controlTopic(prefix);
  const seal = createControlSeal(options.key);
  /** Positions of the publishing process; empty in the others. */
  const positions = new Map<string, Position>();
  let isLeading = false;
  let refusal: string | undefined;
  let stopping = false;
  let wake: () => void = () => undefined;
  let isWoken = false;
  let running: Promise<void> = Promise.resolve();
  let cluster = '';
  let idleMovedAt = 0;
  let sweptAt = 0;

  const errors = metrics.counter(
    'rescind_topic_feed_errors_total',
    'Times that publishing the control log to Kafka broke off; it begins again.',
  );
  metrics.gauge(
    'rescind_topic_feed_leading',
    'Whether this process publishes the control log to Kafka (1) or another one does (0).',
    [],
    () => Number(isLeading),
  );
  metrics.gauge(
    'rescind_topic_feed_refused',
    'Whether publishing waits for an operator (1): the topic holds another history than the database.',
    [],
    () => Number(refusal !== undefined),
  );
  metrics.observed(
    'rescind_topic_feed_lag_records',
    'Control records that are not published to a topic yet, in the process that publishes.',
    ['topic'],
    () => [...positions].map(([topic, { seq }]) => [{ topic }, Number(state.head - seq)] as const),
  );

  const isStopping = (): boolean => stopping;

  async function run(): Promise<void> {
    while (!isStopping()) {
      try {
        await lead();
      } catch (error) {
        noteFailure(error);
      }
      if (!isStopping()) await idle(RETRY_MS);
    }
    await reader.stop();
  }

  function noteFailure(error: unknown): void {
    errors.inc();
    const isRefused = error instanceof RescindError && REFUSALS.has(error.code);
    if (!isRefused) {
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
    const writer = createTopicWriter({ kafka, transactionalId: transactionalId(prefix) });
    try {
      // Checked first: a deployment that does not own the topic must not fence out the one that does.
      await readPublished();
      await writer.connect();
      await takePositions(right, writer);
      refusal = undefined;
      isLeading = true;
      log.info({ topics: positions.size }, 'this process publishes the control log to Kafka');
      while (!isStopping() && !right.isLost()) {
        if (await publishNext(right, writer)) {
          await delay(GATHER_MS);
          continue;
        }
        await sweepWhenDue(right, writer);
        await idle(POLL_MS);
      }
    } finally {
      isLeading = false;
      positions.clear();
      await writer.close();
      right.release();
    }
  }

  /** Returns the last control record that was published. Throws if it is not this database's. */
  async function readPublished(): Promise<Published | undefined> {
    const { last } = await findPublished({ reader, topic: control, seal, from: await storedOffset(pool, control) });
    if (last) await requireContinued(last.record, control, { copies, controlLog });
    return last;
  }

  /** Takes the topics' positions. They are read after the writer has connected, when no other process's record can arrive any more. */
  async function takePositions(right: Lead, writer: TopicWriter): Promise<void> {
    cluster = await writer.clusterId();
    await ensure(writer, [controlTopicSettings(prefix)]);
    const last = await readPublished();
    const at = { seq: last?.record.seq ?? (0n as Seq), lastOffset: last?.offset ?? null };
    // The topic itself tells its position. A stored cursor behind it belongs to a process that died in between.
    await right.begin(cluster, control, at);
    positions.set(control, { ...at, stored: at.seq });
    await takeTenants(right, writer);
  }

  async function ensure(writer: TopicWriter, topics: readonly TopicSettings[]): Promise<void> {
    const wrong = await writer.ensure(topics);
    // Somebody else made the topic and may know better, but records that the brokers delete cannot be restored.
    if (wrong.length > 0) log.error({ wrong, wanted: topics }, 'a topic has unexpected settings; it is used as it is');
  }

  /** Makes a topic for each tenant that has none yet. */
  async function takeTenants(right: Lead, writer: TopicWriter): Promise<void> {
    const missing = [...state.tenants()].filter(({ name }) => !positions.has(revocationsTopic(prefix, name)));
    if (missing.length === 0) return;
    await ensure(
      writer,
      missing.map(({ name }) => revocationsTopicSettings(prefix, name)),
    );
    const cursors = await right.cursors(cluster);
    for (const tenant of missing) {
      const topic = revocationsTopic(prefix, tenant.name);
      const cursor = cursors.get(topic);
      if (cursor && !(await isMadeAnew(topic, cursor.lastOffset))) {
        positions.set(topic, { ...cursor, stored: cursor.seq });
        continue;
      }
      const seq = (await copies.beforeTenant(tenant.id)) ?? state.head;
      await right.begin(cluster, topic, { seq, lastOffset: null });
      positions.set(topic, { seq, stored: seq, lastOffset: null });
    }
  }

  async function isMadeAnew(topic: string, lastOffset: bigint | null): Promise<boolean> {
    if (lastOffset === null) return false;
    const end = await reader.end(topic);
    return end === undefined || end <= lastOffset;
  }

  /** Publishes the next records. Returns whether there were any. */
  async function publishNext(right: Lead, writer: TopicWriter): Promise<boolean> {
    const from = [...positions.values()].reduce((least, { seq }) => (seq < least ? seq : least), state.head);
    const read = await copies.readAfter(from, RECORDS_A_TRANSACTION);
    // Records that are not folded here yet cannot be told to tenants; they follow with the next announcement.
    const known = read.filter(({ record }) => record.seq <= state.head);
    const last = known.at(-1)?.record.seq;
    if (last === undefined) return false;
    // A new tenant among the records begins behind the records read before.
    await takeTenants(right, writer);
    const publication = publicationOf(known);
    const offsets = publication.size > 0 ? await writer.publish(publication) : new Map<string, bigint>();
    await advance(right, last, offsets);
    return true;
  }

  function publicationOf(known: readonly RecordCopy[]): Map<string, TopicMessage[]> {
    const publication = new Map<string, TopicMessage[]>();
    const add = (topic: string, seq: Seq, messages: () => readonly TopicMessage[]): void => {
      const position = positions.get(topic);
      if (!position || seq <= position.seq) return;
      const made = messages();
      if (made.length === 0) return;
      const before = publication.get(topic);
      if (before) before.push(...made);
      else publication.set(topic, [...made]);
    };
    const seconds = Math.floor(now() / 1000);
    for (const copy of known) {
      const { record } = copy;
      add(control, record.seq, () => [seal.seal(copy)]);
      const tenant = state.tenant(record.tenant);
      if (tenant)
        add(revocationsTopic(prefix, tenant.name), record.seq, () =>
          ruleMessages(record, state, seconds).map((message) => withSeq(message, record.seq)),
        );
    }
    return publication;
  }

  /** Advances the cursors after the brokers have acknowledged. A crash before this repeats published records and skips none. */
  async function advance(right: Lead, seq: Seq, offsets: ReadonlyMap<string, bigint>): Promise<void> {
    const idleIsDue = now() - idleMovedAt >= IDLE_MOVE_MS;
    if (idleIsDue) idleMovedAt = now();
    const moved = [...positions].filter(([topic, position]) => {
      const offset = offsets.get(topic);
      if (seq > position.seq) position.seq = seq;
      if (offset !== undefined) position.lastOffset = offset;
      return (offset !== undefined || idleIsDue) && position.seq > position.stored;
    });
    if (moved.length === 0) return;
    await right.move(
      cluster,
      moved.map(([topic, { seq: to, stored, lastOffset }]) => ({ topic, held: stored, to: { seq: to, lastOffset } })),
    );
    for (const [, position] of moved) position.stored = position.seq;
  }

  async function sweepWhenDue(right: Lead, writer: TopicWriter): Promise<void> {
    const beganAt = now();
    if (beganAt - sweptAt < sweepMs) return;
    for (const tenant of state.tenants()) await sweep(right, writer, tenant);
    sweptAt = beganAt;
  }

  async function sweep(right: Lead, writer: TopicWriter, tenant: Tenant): Promise<void> {
    const topic = revocationsTopic(prefix, tenant.name);
    const position = positions.get(topic);
    if (!position) return;
    const gone = await findGone(reader, topic, tenant, Math.floor(now() / 1000));
    for (let from = 0; from < gone.length; from += RECORDS_A_TRANSACTION) {
      const messages = gone
        .slice(from, from + RECORDS_A_TRANSACTION)
        .map((key) => withSeq({ key, value: null }, position.seq));
      position.lastOffset = (await writer.publish(new Map([[topic, messages]]))).get(topic)!;
    }
    if (gone.length === 0) return;
    await right.move(cluster, [{ topic, held: position.stored, to: position }]);
    position.stored = position.seq;
    log.info({ topic, rules: gone.length }, 'removed rules that no longer stop anything from a topic');
  }

  /** Waits until the follower has applied records since the previous wait, until `ms` pass, or until the process stops. */
  async function idle(ms: number): Promise<void> {
    const abort = new AbortController();
    wake = () => abort.abort();
    if (!isWoken && !isStopping()) await delay(ms, undefined, { signal: abort.signal }).catch(() => undefined);
    isWoken = false;
  }

  follower.onApplied(() => {
    if (!isLeading) return;
    isWoken = true;
    wake();
  });

  return {
    start() {
      running = run();
    },
    notReadyReason: () => refusal,
    async stop() {
      stopping = true;
      wake();
      await running;
    },
  };
}

const withSeq = (message: { readonly key: string; readonly value: string | null }, seq: Seq): TopicMessage => ({
  ...message,
  headers: { [SEQ_HEADER]: String(seq) },
});
