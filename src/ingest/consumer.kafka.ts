import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, Batch, Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { RescindError } from '../contracts/index.js';
import type { ControlFollower, Source } from '../control/index.js';
import { ensureTopics, type Log, type Metrics } from '../platform/index.js';
import { accept, kafkaMode, type Arrived } from './accept.js';
import type { Appender } from './appender.pg.js';
import type { OffsetStore } from './offsets.pg.js';
import { resume } from './partition.js';
import { gatherHeadersInOnePass } from './record-headers.kafka.js';
import { OffsetLost, type Judged, type OffsetMove } from './submission.js';

const PARTITIONS_CONCURRENTLY = 8;
/** A member that died without a word is missed after this. */
const SESSION_TIMEOUT_MS = 10_000;
/** How often the group hears from a member that is busy writing. */
const HEARTBEAT_MS = 3_000;
/** Longest wait of one fetch: what an event waits at most for company. */
const MAX_WAIT_MS = 50;
/** Fetched batches of one partition that wait to be durable while the next is fetched and judged. */
const MAX_IN_FLIGHT = 3;
/** How long before a partition is tried again whose batch could not be written. */
const RETRY_MS = 500;
/** How long before topics are subscribed to again that could not be. */
const RESUBSCRIBE_MS = 2_000;

export interface KafkaConsumer {
  start(): Promise<void>;
  /** Topics subscribed to and partitions stopped, for `/health/ready`. */
  notReadyReason(): string | undefined;
  stop(): Promise<void>;
}

export interface KafkaConsumerOptions {
  readonly kafka: Kafka;
  /** The same for all processes of a deployment, and another for each deployment. */
  readonly groupId: string;
  readonly follower: ControlFollower;
  readonly appender: Appender;
  readonly offsets: OffsetStore;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now?: () => number;
}

/** Where this process stands in a partition that it was assigned. */
interface Position {
  /** Offset that the next fetch must have asked for; anything else means that the log or the assignment changed. */
  asked: bigint;
  /** First offset that has not been submitted. */
  next: bigint;
  verify: { readonly offset: bigint; readonly sha256: Buffer } | undefined;
  /** Submissions that are not durable yet, oldest first. Each moves the offset on from where the one before leaves it. */
  readonly inFlight: Promise<void>[];
  /** One of them failed: those after it fail too, and the stored offset is read again, once. */
  failed: boolean;
}

export function createKafkaConsumer(options: KafkaConsumerOptions): KafkaConsumer {
  const { kafka, groupId, follower, appender, offsets, log, metrics, now = Date.now } = options;
  const positions = new Map<string, Promise<Position | undefined>>();
  const stopped = new Map<string, string>();
  const paused = new Set<string>();
  /** What was submitted of a partition last: a position is loaded when it has come to its end. */
  const lastSubmitted = new Map<string, Promise<void>>();
  const lag = metrics.gauge('rescind_ingest_kafka_lag', 'Records of a partition that are not stored yet.', ['topic', 'partition']);
  const stoppedGauge = metrics.gauge('rescind_ingest_kafka_stopped', 'Partitions that an operator must decide about.');
  let admin: Admin;
  let consumer: Consumer;
  let cluster = '';
  let topics: readonly string[] = [];
  let subscribing: Promise<void> = Promise.resolve();
  let stopping = false;
  let joined = false;
  /** Raised at each assignment: what belongs to an earlier one ends. */
  let generation = 0;
  let crashed = false;
  let subscribeProblem: string | undefined;

  const nameOf = (topic: string, partition: number): string => `${topic}/${partition}`;

  const wantedTopics = (): string[] =>
    [...new Set([...follower.state.sources()].filter(({ disabled }) => !disabled).map(({ topic }) => topic))].sort();

  /** A running consumer cannot subscribe to more; it is stopped, subscribed to all topics and run again. */
  async function subscribe(): Promise<void> {
    const wanted = wantedTopics();
    if (stopping || wanted.length === 0 || (wanted.join() === topics.join() && !crashed)) return;
    await ensureTopics(admin, wanted);
    await consumer.stop();
    topics = [];
    joined = false;
    if (crashed) await consumer.connect();
    crashed = false;
    await consumer.subscribe({ topics: wanted, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: PARTITIONS_CONCURRENTLY,
      eachBatch: takeBatch,
    });
    topics = wanted;
    subscribeProblem = undefined;
    log.info({ topics: wanted.length }, 'subscribed to the topics of all sources');
  }

  /** After a change of sources, and after a crash from which kafkajs does not restart; tried until it succeeds. */
  function resubscribe(): void {
    subscribing = subscribing.then(subscribe).catch((error: unknown) => {
      log.error({ err: error }, 'could not subscribe to all topics; trying again');
      subscribeProblem = 'the topics of all sources could not be subscribed to';
      setTimeout(resubscribe, RESUBSCRIBE_MS).unref();
    });
  }

  function load(topic: string, partition: number): Promise<Position | undefined> {
    const loading = loadPosition(topic, partition).catch((error: unknown) => {
      positions.delete(nameOf(topic, partition));
      throw error;
    });
    positions.set(nameOf(topic, partition), loading);
    return loading;
  }

  async function loadPosition(topic: string, partition: number): Promise<Position | undefined> {
    await lastSubmitted.get(nameOf(topic, partition));
    const stored = await offsets.read(cluster, topic, partition);
    const bounds = (await admin.fetchTopicOffsets(topic)).find((one) => one.partition === partition);
    if (!bounds) throw new Error(`the broker names no offsets of ${nameOf(topic, partition)}`);
    const resumption = resume(stored, { low: BigInt(bounds.low), high: BigInt(bounds.high) });
    switch (resumption.action) {
      case 'stop':
        return stopPartition(topic, partition, resumption.reason);
      case 'gap':
        await recordGap(topic, partition, resumption.from, resumption.to);
        return seek(topic, partition, at(resumption.to, resumption.to));
      case 'resume':
        return seek(topic, partition, at(resumption.seek, stored?.next ?? resumption.seek, resumption.verify));
      default:
        return resumption satisfies never;
    }
  }

  function seek(topic: string, partition: number, position: Position): Position {
    consumer.seek({ topic, partition, offset: String(position.asked) });
    if (paused.delete(nameOf(topic, partition))) consumer.resume([{ topic, partitions: [partition] }]);
    return position;
  }

  async function stopPartition(topic: string, partition: number, reason: string): Promise<undefined> {
    log.error({ topic, partition, reason }, 'a partition is stopped until an operator decides');
    stopped.set(nameOf(topic, partition), reason);
    stoppedGauge.set(stopped.size);
    paused.add(nameOf(topic, partition));
    consumer.pause([{ topic, partitions: [partition] }]);
    await offsets.stop(cluster, topic, partition, reason);
    return undefined;
  }

  async function recordGap(topic: string, partition: number, from: bigint, to: bigint): Promise<void> {
    const source: Source | undefined = follower.state.sourcesOfTopic(topic)[0];
    const tenant = source && follower.state.tenant(source.tenant);
    const offset = { cluster, topic, partition, held: from, next: to, lastOffset: null, lastSha256: null };
    const reason = 'the records were gone before they could be read';
    const data = { topic, partition, from_offset: String(from), to_offset: String(to), reason };
    log.error({ topic, partition, from: String(from), to: String(to) }, 'records are missing from a topic');
    await appender.submit({
      events: [],
      own: tenant ? [{ tenant, name: 'log.gap', id: `gap-${cluster}-${topic}-${partition}-${from}`, timeMs: now(), data }] : [],
      offset,
    });
  }

  async function takeBatch({ batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload): Promise<void> {
    const { topic, partition } = batch;
    const name = nameOf(topic, partition);
    const position = await (positions.get(name) ?? load(topic, partition));
    if (!position || position.failed || !isRunning() || isStale()) return;
    if (BigInt(fetchedOffsetOf(batch)) !== position.asked) {
      // Fetched before the seek took effect, or the broker reset the offset: the log may not be the one that was read.
      await load(topic, partition);
      return;
    }
    if (position.verify && !(await verify(batch.messages[0], position.verify, topic, partition))) return;
    position.verify = undefined;
    const messages = batch.messages.filter((message) => BigInt(message.offset) >= position.next);
    position.asked = BigInt(batch.lastOffset()) + 1n;
    const { asked } = position;
    const behind = (): void => lag.set({ topic, partition: String(partition) }, Number(BigInt(batch.highWatermark) - asked));
    if (messages.length > 0) submit(topic, partition, position, messages, behind);
    else behind();
    resolveOffset(batch.lastOffset());
    if (position.inFlight.length < MAX_IN_FLIGHT) return;
    const beating = setInterval(() => void heartbeat().catch(() => undefined), HEARTBEAT_MS);
    await position.inFlight[0];
    clearInterval(beating);
  }

  /** Hands a batch to the appender and goes on: the next is fetched and judged while this one becomes durable. */
  function submit(topic: string, partition: number, position: Position, messages: readonly KafkaMessage[], onStored: () => void): void {
    const stored = store(topic, partition, position, messages).then(onStored, (error: unknown) => {
      if (position.failed) return;
      position.failed = true;
      void retryLater(topic, partition, error);
    });
    const settled = stored.finally(() => void position.inFlight.shift());
    position.inFlight.push(settled);
    lastSubmitted.set(nameOf(topic, partition), settled);
  }

  async function verify(
    first: KafkaMessage | undefined,
    expected: { readonly offset: bigint; readonly sha256: Buffer },
    topic: string,
    partition: number,
  ): Promise<boolean> {
    if (first && BigInt(first.offset) === expected.offset && digestOf(first).equals(expected.sha256)) return true;
    await stopPartition(topic, partition, `another record stands at offset ${expected.offset} than the one that was read: the topic was made anew`);
    return false;
  }

  async function store(topic: string, partition: number, position: Position, messages: readonly KafkaMessage[]): Promise<void> {
    const last = messages.at(-1)!;
    const lastOffset = BigInt(last.offset);
    const offset: OffsetMove = { cluster, topic, partition, held: position.next, next: lastOffset + 1n, lastOffset, lastSha256: digestOf(last) };
    position.next = offset.next;
    const events = messages.map((message): Judged => ({ ...judge(topic, message), position: { offset: BigInt(message.offset) } }));
    await appender.submit({ events, offset });
  }

  function judge(topic: string, message: KafkaMessage): Judged {
    const headers = headersOf(message);
    const arrived: Omit<Arrived, 'mode'> = { headers, bytes: message.value ?? Buffer.alloc(0), door: { kind: 'kafka', topic } };
    try {
      return accept({ ...arrived, mode: kafkaMode(headers) }, follower.state, now());
    } catch (error) {
      if (!(error instanceof RescindError) || error.code !== 'unsupported-media-type') throw error;
      const source = follower.state.sourcesOfTopic(topic)[0];
      return { accepted: false, code: error.code, detail: error.detail ?? error.message, source, arrived: { ...arrived, mode: 'binary' } };
    }
  }

  /** Nothing was stored, or another consumer stored it: the stored offset says where to go on. */
  async function retryLater(topic: string, partition: number, error: unknown): Promise<void> {
    if (!(error instanceof OffsetLost)) {
      log.error({ err: error, topic, partition }, 'a batch was not stored; it is read again');
      consumer.pause([{ topic, partitions: [partition] }]);
      setTimeout(() => {
        if (!stopping) consumer.resume([{ topic, partitions: [partition] }]);
      }, RETRY_MS).unref();
    }
    positions.delete(nameOf(topic, partition));
    await loadUntilKnown(topic, partition, generation);
  }

  /** Without traffic nothing else would ask again: a fetch that finds no record hands over no batch. */
  async function loadUntilKnown(topic: string, partition: number, ofGeneration: number): Promise<void> {
    const isOver = (): boolean => stopping || ofGeneration !== generation;
    while (!isOver()) {
      try {
        await load(topic, partition);
        return;
      } catch (error) {
        log.error({ err: error, topic, partition }, 'the stored offset could not be read; trying again');
        await delay(RETRY_MS, undefined, { ref: false });
      }
    }
  }

  return {
    async start() {
      gatherHeadersInOnePass();
      admin = kafka.admin();
      await admin.connect();
      cluster = (await admin.describeCluster()).clusterId;
      consumer = kafka.consumer({
        groupId,
        sessionTimeout: SESSION_TIMEOUT_MS,
        maxWaitTimeInMs: MAX_WAIT_MS,
        allowAutoTopicCreation: false,
        retry: { restartOnFailure: () => Promise.resolve(!stopping) },
      });
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        joined = true;
        generation += 1;
        positions.clear();
        stopped.clear();
        stoppedGauge.set(0);
        for (const [topic, partitions] of Object.entries(payload.memberAssignment)) {
          for (const partition of partitions) void loadUntilKnown(topic, partition, generation);
        }
      });
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        log.error({ err: payload.error, restart: payload.restart }, 'the Kafka consumer crashed');
        if (payload.restart || stopping) return;
        crashed = true;
        resubscribe();
      });
      await consumer.connect();
      follower.onApplied((records) => {
        if (records.some(({ kind }) => kind === 'source.changed')) resubscribe();
      });
      resubscribe();
      await subscribing;
    },
    notReadyReason() {
      if (stopped.size > 0) return `stopped partitions: ${[...stopped.keys()].join(', ')}`;
      if (subscribeProblem !== undefined) return subscribeProblem;
      return topics.length > 0 && !joined ? 'the consumer group has not been joined yet' : undefined;
    },
    async stop() {
      stopping = true;
      await subscribing;
      await consumer?.disconnect();
      await Promise.all(lastSubmitted.values());
      await admin?.disconnect();
    },
  };
}

const at = (asked: bigint, next: bigint, verify?: Position['verify']): Position => ({ asked, next, verify, inFlight: [], failed: false });

/** Header names are lower-cased, so that two spellings of one name are seen as a repeated header. */
function headersOf(message: KafkaMessage): (readonly [string, Buffer])[] {
  return Object.entries(message.headers ?? {}).flatMap(([name, value]) =>
    [value].flat().map((one) => [name.toLowerCase(), Buffer.from(one ?? '')] as const),
  );
}

/** SHA-256 of what a producer wrote of a record: key, value and time, each with its length. */
function digestOf(message: KafkaMessage): Buffer {
  const hash = createHash('sha256');
  for (const part of [message.timestamp, message.key ?? '', message.value ?? '']) {
    const bytes = Buffer.from(part);
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest();
}

/** The offset that the fetch asked for: there at run time (kafkajs 2.2.4, `consumer/batch.js`), missing in its types. */
const fetchedOffsetOf = (batch: Batch): string => (batch as Batch & { readonly fetchedOffset: string }).fetchedOffset;
