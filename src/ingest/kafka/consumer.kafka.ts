import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { Admin, Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import type { ControlFollower, Source } from '../../control/index.js';
import { ensureTopics, unreadableOf, type UnreadableRecordSet } from '../../platform/kafka/index.js';
import { type Log } from '../../platform/log/index.js';
import { type Metrics } from '../../platform/observe/index.js';
import type { Appender } from '../append/appender.pg.js';
import { createLagWatch } from './lag.js';
import { createLogBoundsReader } from './log-bounds.kafka.js';
import type { OffsetStore } from './offsets.pg.js';
import { resume, stopReason } from './partition.js';
import { MAX_BATCH_EVENTS } from '../append/next-batch.js';
import { gatherHeadersInOnePass } from './record-headers.kafka.js';
import { digestOf, fetchedOffsetOf, judgeRecord } from './records.kafka.js';
import type { RuleQuota } from '../append/rule-quota.js';
import { OffsetLost, type Judged, type OffsetMove } from '../append/submission.js';
import { weightOf } from '../append/weight.js';

const PARTITIONS_CONCURRENTLY = 8;
/** A member that died silently is noticed after this time. */
const SESSION_TIMEOUT_MS = 10_000;
/** How often a busy member sends a heartbeat to the group. */
const HEARTBEAT_MS = 3_000;
/** Longest wait of one fetch, and so the longest time that an event waits for others. */
const MAX_WAIT_MS = 50;
/** Fetched batches of one partition that may wait to become durable while the next is fetched and judged. */
const MAX_IN_FLIGHT = 3;
/** Refused records that are handed over in one part before the process turns to other work. */
const MAX_REFUSED_AT_ONCE = 50;
/** Parts of one partition that may wait to be stored. */
const MAX_PARTS_WAITING = 4;
/** Records that are judged before other work has its turn. The batch being written needs a turn for each of its answers. */
const JUDGED_IN_A_TURN = 16;
/** Delay before a partition whose batch could not be written, or a crashed consumer, is tried again. */
const RETRY_MS = 500;
/** How often a stopped partition is checked for an operator's decision. */
const DECISION_MS = 2_000;
/** Delay before topics that could not be subscribed to are tried again. */
const RESUBSCRIBE_MS = 2_000;

export interface KafkaConsumer {
  start(): Promise<void>;
  /** Names missing topics and stopped partitions for `/health/ready`. */
  notReadyReason(): string | undefined;
  /** Resolves when handed-over records are durable and the group is left, so that the partitions' next consumer begins behind them. */
  stop(): Promise<void>;
}

export interface KafkaConsumerOptions {
  readonly kafka: Kafka;
  /** The same for all processes of a deployment, and different for each deployment. */
  readonly groupId: string;
  readonly follower: ControlFollower;
  readonly appender: Appender;
  readonly ruleQuota: RuleQuota;
  readonly offsets: OffsetStore;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now?: () => number;
}

/** Position of this process in a partition that it was assigned. */
interface Position {
  /** Offset that the next fetch must have asked for. Any other offset means that the log or the assignment changed. */
  asked: bigint;
  /** First offset that has not been submitted. */
  next: bigint;
  verify: { readonly offset: bigint; readonly sha256: Buffer } | undefined;
  /** Generation of the assignment that this position belongs to. */
  readonly generation: number;
  /** Submissions that are not durable yet, oldest first. Each moves the offset on from where the previous one leaves it. */
  readonly inFlight: Promise<void>[];
  /** Set when a submission failed. The later ones fail too, and the stored offset is read again, once. */
  failed: boolean;
  /** Set when nothing more is read from this position. */
  ended: boolean;
}

export function createKafkaConsumer(options: KafkaConsumerOptions): KafkaConsumer {
  const { kafka, groupId, follower, appender, ruleQuota, offsets, log, metrics, now = Date.now } = options;
  const { state } = follower;
  /** Position in each assigned partition. Undefined: the partition is stopped, or the assignment is over. */
  const positions = new Map<string, Promise<Position | undefined>>();
  const stopped = new Map<string, string>();
  const paused = new Set<string>();
  /** Last submission of each partition. A new position is loaded after it has ended. */
  const lastSubmitted = new Map<string, Promise<void>>();
  /** Topics that were seen at the broker. If somebody deletes one, it is not created again. */
  const known = new Set<string>();
  const bounds = createLogBoundsReader({ kafka });
  const lag = createLagWatch({ bounds, state, log, metrics });
  const stoppedGauge = metrics.gauge('rescind_ingest_kafka_stopped', 'Partitions that an operator must decide about.');
  const unreadables = metrics.counter(
    'rescind_ingest_unreadable_total',
    'Record sets that cannot be read; skipped with a gap in the ledger, or their partition is stopped.',
    ['topic', 'problem'],
  );
  let admin: Admin;
  let consumer: Consumer | undefined;
  let cluster = '';
  let topics: readonly string[] = [];
  let subscribing: Promise<void> = Promise.resolve();
  let subscribeAgain: NodeJS.Timeout | undefined;
  let stopping = false;
  let joined = false;
  /** Raised at each assignment and when the group is left. Work of an earlier generation ends. */
  let generation = 0;
  let crashed = false;
  let subscribeProblem: string | undefined;
  let deciding: NodeJS.Timeout | undefined;

  const isOver = (ofGeneration: number): boolean => stopping || ofGeneration !== generation;

  const nameOf = (topic: string, partition: number): string => `${topic}/${partition}`;

  const wantedTopics = (): string[] =>
    [...new Set([...state.sources()].filter(({ disabled }) => !disabled).map(({ topic }) => topic))].sort();

  /** Finds the topics that exist, after creating missing ones. A topic that cannot be created, or is gone, does not affect the others. */
  async function presentTopics(): Promise<string[]> {
    const wanted = wantedTopics();
    let existing = new Set(await admin.listTopics());
    const unmade = wanted.filter((topic) => !existing.has(topic) && !known.has(topic));
    if (unmade.length > 0) {
      await ensureTopics(admin, unmade).catch((error: unknown) =>
        log.error({ err: error, topics: unmade }, 'cannot create topics; going on with the others'),
      );
      existing = new Set(await admin.listTopics());
    }
    const present = wanted.filter((topic) => existing.has(topic));
    for (const topic of present) known.add(topic);
    const missing = wanted.filter((topic) => !existing.has(topic));
    subscribeProblem = missing.length > 0 ? `no such topic at the broker: ${missing.join(', ')}` : undefined;
    return present;
  }

  /** Subscribes with a new consumer, because a running consumer cannot change its topics. */
  async function subscribe(): Promise<void> {
    if (stopping) return;
    const present = await presentTopics();
    if (subscribeProblem !== undefined) resubscribeLater();
    if (present.join() === topics.join() && !crashed) return;
    await leave();
    if (present.length === 0) return;
    consumer = makeConsumer();
    await consumer.connect();
    await consumer.subscribe({ topics: present, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: PARTITIONS_CONCURRENTLY,
      eachBatch: takeBatch,
    });
    topics = present;
    log.info({ topics: present.length }, 'subscribed to the topics of all sources');
  }

  /** Subscribes again after a change of sources or a crash; retries until it succeeds. */
  function resubscribe(): void {
    subscribing = subscribing.then(subscribe).catch((error: unknown) => {
      log.error({ err: error }, 'cannot subscribe to all topics; retrying');
      subscribeProblem = 'the topics of all sources could not be subscribed to';
      resubscribeLater();
    });
  }

  function resubscribeLater(afterMs = RESUBSCRIBE_MS): void {
    clearTimeout(subscribeAgain);
    subscribeAgain = setTimeout(resubscribe, afterMs);
    subscribeAgain.unref();
  }

  function makeConsumer(): Consumer {
    const made = kafka.consumer({
      groupId,
      sessionTimeout: SESSION_TIMEOUT_MS,
      maxWaitTimeInMs: MAX_WAIT_MS,
      allowAutoTopicCreation: false,
      // kafkajs would restart the consumer with its old topics, and one of them may have caused the crash.
      retry: { restartOnFailure: () => Promise.resolve(false) },
    });
    made.on(made.events.GROUP_JOIN, ({ payload }) => {
      if (made !== consumer) return;
      joined = true;
      forgetAssignment();
      for (const [topic, partitions] of Object.entries(payload.memberAssignment)) {
        for (const partition of partitions) void load(topic, partition);
      }
    });
    made.on(made.events.CRASH, ({ payload }) => {
      if (made !== consumer || stopping) return;
      log.error({ err: payload.error }, 'the Kafka consumer crashed; starting another');
      crashed = true;
      joined = false;
      resubscribeLater(RETRY_MS);
    });
    return made;
  }

  function forgetAssignment(): void {
    generation += 1;
    positions.clear();
    stopped.clear();
    stoppedGauge.set(0);
    lag.forget();
  }

  /** Stops fetching, finishes what was handed over, and leaves the group. */
  async function leave(): Promise<void> {
    const left = consumer;
    if (left === undefined) return;
    try {
      left.pause(topics.map((topic) => ({ topic })));
    } catch {
      // The consumer crashed or never ran, so it fetches nothing.
    }
    forgetAssignment();
    await Promise.all(lastSubmitted.values());
    consumer = undefined;
    paused.clear();
    [topics, joined, crashed] = [[], false, false];
    await left.disconnect();
  }

  /** Loads the partition's position and retries until it is known: without traffic, nothing else would try again. */
  function load(topic: string, partition: number): Promise<Position | undefined> {
    const loading = loadUntilKnown(topic, partition, generation);
    positions.set(nameOf(topic, partition), loading);
    return loading;
  }

  async function loadUntilKnown(topic: string, partition: number, ofGeneration: number): Promise<Position | undefined> {
    while (!isOver(ofGeneration)) {
      try {
        return await loadPosition(topic, partition, ofGeneration);
      } catch (error) {
        log.error({ err: error, topic, partition }, 'cannot read the stored offset of a partition; retrying');
        await delay(RETRY_MS, undefined, { ref: false });
      }
    }
    return undefined;
  }

  async function loadPosition(topic: string, partition: number, ofGeneration: number): Promise<Position | undefined> {
    await lastSubmitted.get(nameOf(topic, partition));
    const stored = await offsets.read(cluster, topic, partition);
    const found = (await bounds.ofTopic(topic))?.get(partition);
    if (isOver(ofGeneration)) return undefined;
    if (!found) throw new Error(`the broker names no offsets of ${nameOf(topic, partition)}`);
    const { low, high } = found;
    lag.standsAt(topic, partition, stored?.next ?? low);
    lag.endsAt(topic, partition, high);
    const resumption = resume(stored, { low, high });
    switch (resumption.action) {
      case 'stop':
        await stopPartition(topic, partition, resumption.reason, stored?.next ?? low);
        return undefined;
      case 'gap':
        await recordGap(
          topic,
          partition,
          resumption.from,
          resumption.to,
          'the records were gone before they could be read',
        );
        return isOver(ofGeneration)
          ? undefined
          : seek(topic, partition, at(ofGeneration, resumption.to, resumption.to));
      case 'resume':
        return seek(
          topic,
          partition,
          at(ofGeneration, resumption.seek, stored?.next ?? resumption.seek, resumption.verify),
        );
      default:
        return resumption satisfies never;
    }
  }

  function seek(topic: string, partition: number, position: Position): Position {
    consumer!.seek({ topic, partition, offset: String(position.asked) });
    if (paused.delete(nameOf(topic, partition))) consumer!.resume([{ topic, partitions: [partition] }]);
    return position;
  }

  function pause(topic: string, partition: number): void {
    paused.add(nameOf(topic, partition));
    consumer!.pause([{ topic, partitions: [partition] }]);
  }

  /** Stops the partition if its stored offset is still `held`. If another process has moved it, it is read again. */
  async function stopPartition(topic: string, partition: number, reason: string, held: bigint): Promise<void> {
    pause(topic, partition);
    if (!(await offsets.stop(cluster, topic, partition, reason, held)))
      throw new Error(`${nameOf(topic, partition)} no longer stands at ${held}`);
    log.error({ topic, partition, reason }, 'a partition is stopped until an operator decides');
    stopped.set(nameOf(topic, partition), reason);
    stoppedGauge.set(stopped.size);
  }

  /** Restarts partitions that an operator has decided about: their stop is gone from the database. */
  async function takeDecisions(): Promise<void> {
    for (const name of stopped.keys()) {
      const slash = name.lastIndexOf('/');
      const [topic, partition] = [name.slice(0, slash), Number(name.slice(slash + 1))];
      const stored = await offsets.read(cluster, topic, partition);
      if ((stored && stored.stopped !== null) || !stopped.delete(name)) continue;
      stoppedGauge.set(stopped.size);
      void load(topic, partition);
    }
  }

  async function recordGap(topic: string, partition: number, from: bigint, to: bigint, reason: string): Promise<void> {
    const source: Source | undefined = state.sourcesOfTopic(topic)[0];
    const tenant = source && state.tenant(source.tenant);
    const timeMs = now();
    const offset = { cluster, topic, partition, held: from, next: to, lastOffset: null, lastSha256: null };
    const data = { topic, partition, from_offset: String(from), to_offset: String(to), reason };
    log.error({ topic, partition, from: String(from), to: String(to), reason }, 'records are missing from a topic');
    await appender.submit({
      events: [],
      own: tenant
        ? [{ tenant, name: 'log.gap', id: `gap-${cluster}-${topic}-${partition}-${from}-${timeMs}`, timeMs, data }]
        : [],
      offset,
    });
    lag.standsAt(topic, partition, to);
  }

  async function takeBatch({ batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload): Promise<void> {
    const { topic, partition } = batch;
    const position = await whileBeating(positions.get(nameOf(topic, partition)) ?? load(topic, partition), heartbeat);
    if (!position || position.failed || position.ended || !isRunning() || isStale()) return;
    if (fetchedOffsetOf(batch) !== position.asked) {
      // Fetched before the seek took effect, or the broker reset the offset: the log may not be the one that was read.
      await whileBeating(load(topic, partition), heartbeat);
      return;
    }
    const unreadable = unreadableOf(batch.messages.at(-1)!);
    const readable = unreadable ? batch.messages.slice(0, -1) : batch.messages;
    if (position.verify && readable.length > 0) {
      if (!isSame(readable[0]!, position.verify)) {
        await whileBeating(
          end(topic, partition, position, () => stopAnew(topic, partition, position)),
          heartbeat,
        );
        return;
      }
      position.verify = undefined;
    }
    lag.endsAt(topic, partition, BigInt(batch.highWatermark));
    const messages = readable.filter((message) => BigInt(message.offset) >= position.next);
    if (messages.length > 0) await whileBeating(submit(topic, partition, position, messages), heartbeat);
    if (position.failed) return;
    if (unreadable) {
      await whileBeating(
        end(topic, partition, position, () => passUnreadable(position, unreadable)),
        heartbeat,
      );
      return;
    }
    position.asked = BigInt(batch.lastOffset()) + 1n;
    resolveOffset(batch.lastOffset());
    if (position.inFlight.length >= MAX_IN_FLIGHT) await whileBeating(position.inFlight[0]!, heartbeat);
  }

  /**
   * Hands fetched records to the appender and goes on: the next records are fetched and judged while these become durable. A flood of refused
   * records is handed over in parts, of which only a few wait at once. The rest waits in Kafka, and the room in memory is left for others.
   */
  async function submit(
    topic: string,
    partition: number,
    position: Position,
    messages: readonly KafkaMessage[],
  ): Promise<void> {
    await appender.roomForKafka();
    if (position.failed || isOver(position.generation)) return;
    const parts: Promise<void>[] = [];
    let events: Judged[] = [];
    let refused = 0;
    let weight = 0;
    for (const [at, message] of messages.entries()) {
      const judged = judgeRecord(topic, message, state, now());
      appender.prepare(judged);
      events.push(judged);
      weight += weightOf(judged);
      if (!judged.accepted) refused += 1;
      const isLast = at === messages.length - 1;
      if (!isLast && refused < MAX_REFUSED_AT_ONCE && weight < MAX_BATCH_EVENTS) {
        if (at % JUDGED_IN_A_TURN !== JUDGED_IN_A_TURN - 1) continue;
        await nextTurn();
        if (position.failed || isOver(position.generation)) break;
        continue;
      }
      if (!ruleQuota.tryAdmit(events)) {
        position.failed = true;
        void waitForRules(topic, partition, position, events);
        break;
      }
      parts.push(submitPart(topic, partition, position, events, message));
      [events, refused, weight] = [[], 0, 0];
      if (isLast) break;
      await nextTurn();
      await parts.at(-MAX_PARTS_WAITING);
      if (position.failed || isOver(position.generation)) break;
    }
    position.inFlight.push(Promise.all(parts).then(() => void position.inFlight.shift()));
  }

  function submitPart(
    topic: string,
    partition: number,
    position: Position,
    events: readonly Judged[],
    last: KafkaMessage,
  ): Promise<void> {
    const lastOffset = BigInt(last.offset);
    const offset: OffsetMove = {
      cluster,
      topic,
      partition,
      held: position.next,
      next: lastOffset + 1n,
      lastOffset,
      lastSha256: digestOf(last),
    };
    position.next = offset.next;
    const stored = store(position, events, offset).catch((error: unknown) => {
      if (position.failed) return;
      position.failed = true;
      void retryLater(topic, partition, position, error);
    });
    lastSubmitted.set(nameOf(topic, partition), stored);
    return stored;
  }

  async function store(
    { generation: ofGeneration }: Position,
    events: readonly Judged[],
    offset: OffsetMove,
  ): Promise<void> {
    await appender.submit({ events, offset });
    if (!isOver(ofGeneration)) lag.standsAt(offset.topic, offset.partition, offset.next);
  }

  /** Pauses the partition until its source may add rules again. Its records wait in Kafka, and other partitions go on. */
  async function waitForRules(
    topic: string,
    partition: number,
    position: Position,
    events: readonly Judged[],
  ): Promise<void> {
    pause(topic, partition);
    await lastSubmitted.get(nameOf(topic, partition));
    await ruleQuota.whenRoom(events, () => isOver(position.generation));
    if (!isOver(position.generation)) await load(topic, partition);
  }

  /** Reads again from the stored offset, because nothing was stored or another consumer stored it. */
  async function retryLater(topic: string, partition: number, position: Position, error: unknown): Promise<void> {
    if (isOver(position.generation)) return;
    if (!(error instanceof OffsetLost)) {
      log.error({ err: error, topic, partition }, 'cannot store a batch of a partition; reading it again');
      pause(topic, partition);
      await delay(RETRY_MS, undefined, { ref: false });
      if (isOver(position.generation)) return;
    }
    await load(topic, partition);
  }

  /** Stops reading the partition, runs `act` once its submissions are durable, then loads its position again. */
  function end(topic: string, partition: number, position: Position, act: () => Promise<void>): Promise<unknown> {
    position.ended = true;
    const ending = async (): Promise<Position | undefined> => {
      await lastSubmitted.get(nameOf(topic, partition));
      // An earlier submission was not stored: it is read again first, and this record after it.
      if (position.failed || isOver(position.generation)) return undefined;
      await act().catch((error: unknown) =>
        log.error({ err: error, topic, partition }, 'cannot stop or move a partition; reading it again'),
      );
      return stopped.has(nameOf(topic, partition)) ? undefined : loadUntilKnown(topic, partition, position.generation);
    };
    const ended = ending();
    positions.set(nameOf(topic, partition), ended);
    return ended;
  }

  function stopAnew(topic: string, partition: number, { next, verify }: Position): Promise<void> {
    const reason = `another record stands at offset ${verify!.offset} than the one that was read: the topic was made anew`;
    return stopPartition(topic, partition, stopReason('made-anew', reason), next);
  }

  /**
   * Skips a record set that nobody can read, now or later, and records a gap in the ledger, if the end of the set is known. If it is not, or
   * if the set holds the record that identifies the log, the partition stops until an operator decides.
   */
  async function passUnreadable(
    { next, verify }: Position,
    { topic, partition, problem, firstOffset, nextOffset }: UnreadableRecordSet,
  ): Promise<void> {
    const reason = `the record set at offset ${firstOffset} cannot be read (${problem})`;
    if (nextOffset === undefined || nextOffset <= next || verify)
      await stopPartition(topic, partition, stopReason('unreadable', reason), next);
    else await recordGap(topic, partition, next, nextOffset, reason);
    unreadables.inc({ topic, problem });
  }

  return {
    async start() {
      gatherHeadersInOnePass();
      admin = kafka.admin();
      await admin.connect();
      cluster = (await admin.describeCluster()).clusterId;
      lag.start();
      deciding = setInterval(() => {
        takeDecisions().catch((error: unknown) =>
          log.warn({ err: error }, 'cannot read decisions on stopped partitions; retrying'),
        );
      }, DECISION_MS);
      deciding.unref();
      follower.onApplied((records) => {
        if (records.some(({ kind }) => kind === 'source.changed')) resubscribe();
      });
      resubscribe();
      await subscribing;
    },
    notReadyReason() {
      if (stopped.size > 0) return `stopped partitions: ${[...stopped.keys()].join(', ')}`;
      if (subscribeProblem !== undefined) return subscribeProblem;
      if (crashed) return 'the Kafka consumer crashed; another is being started';
      return topics.length > 0 && !joined ? 'the consumer group has not been joined yet' : undefined;
    },
    async stop() {
      stopping = true;
      clearInterval(deciding);
      clearTimeout(subscribeAgain);
      await lag.stop();
      await subscribing;
      await leave();
      await bounds.stop();
      await admin?.disconnect();
    },
  };
}

const at = (generation: number, asked: bigint, next: bigint, verify?: Position['verify']): Position => ({
  generation,
  asked,
  next,
  verify,
  inFlight: [],
  failed: false,
  ended: false,
});

const isSame = (message: KafkaMessage, { offset, sha256 }: NonNullable<Position['verify']>): boolean =>
  BigInt(message.offset) === offset && digestOf(message).equals(sha256);

/** Sends heartbeats while waiting for `what`. Rejects if the group must be joined again, because that waits for no batch. */
async function whileBeating<T>(what: Promise<T>, heartbeat: () => Promise<void>): Promise<T> {
  let beating: NodeJS.Timeout | undefined;
  const lost = new Promise<never>((_, reject) => {
    beating = setInterval(() => void heartbeat().catch(reject), HEARTBEAT_MS);
  });
  try {
    return await Promise.race([what, lost]);
  } finally {
    clearInterval(beating);
  }
}
