import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { ControlState } from '../../control/index.js';
import type {
  FetchedBatch,
  GroupMember,
  KafkaRecord,
  LogBoundsReader,
  UnreadableRecordSet,
} from '../../platform/kafka/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Appender } from '../append/appender.pg.js';
import { MAX_BATCH_EVENTS } from '../append/next-batch.js';
import type { RuleQuota } from '../append/rule-quota.js';
import { OffsetLost, type Judged, type OffsetMove } from '../append/submission.js';
import { weightOf } from '../append/weight.js';
import type { LagWatch } from './lag.js';
import type { OffsetStore } from './offsets.pg.js';
import { resume, stopReason, type Verified } from './partition.js';
import type { SignatureChecks } from '../signed/signature-checks.js';
import { digestOf, judgeRecord, takeRecord, type TakenRecord } from './records.js';

/** Fetched batches that may wait to become durable while the next is fetched and judged. */
const MAX_IN_FLIGHT = 3;
/** Refused records that are handed over in one part before the process turns to other work. */
const MAX_REFUSED_AT_ONCE = 50;
/** Parts that may wait to be stored. */
const MAX_PARTS_WAITING = 4;
/** Records that are judged before other work has its turn. The batch being written needs a turn for each of its answers. */
const JUDGED_IN_A_TURN = 16;
/** Delay before a partition whose offset could not be read, or whose batch could not be written, is tried again. */
const RETRY_MS = 500;

/** Parts that the partitions of one member share. */
export interface PartitionParts {
  readonly cluster: string;
  readonly member: Pick<GroupMember, 'seek' | 'pause' | 'resume'>;
  readonly state: ControlState;
  readonly appender: Appender;
  readonly ruleQuota: RuleQuota;
  readonly signatures: SignatureChecks;
  readonly offsets: OffsetStore;
  readonly bounds: Pick<LogBoundsReader, 'ofTopic'>;
  readonly lag: LagWatch;
  readonly unreadables: { inc(labels: { readonly topic: string; readonly problem: string }): void };
  readonly log: Log;
  readonly now: () => number;
}

/** Reading of the partition from one seek until the next. */
interface Position {
  /** Offset that the next fetch must have asked for. Any other offset means that the log or the assignment changed. */
  asked: bigint;
  /** First offset that has not been submitted. */
  next: bigint;
  /** The record that was read last. It must come again first. */
  verify: Verified | undefined;
  /** Fetched batches that are not durable yet, oldest first. */
  readonly inFlight: Promise<void>[];
  /** Set when a submission failed. The later ones fail too, and the stored offset is read again, once. */
  failed: boolean;
  /** Set when nothing more is read from this position. */
  ended: boolean;
}

/**
 * A partition from one assignment to this process until the next. Hands its records to the appender in the order of their offsets, and moves the
 * stored offset in the transaction that stores them, compared and swapped. So a record is skipped only with a gap in the ledger, and a process
 * that lost the partition stores nothing.
 */
export class AssignedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly #parts: PartitionParts;
  /** Undefined: the partition is stopped or released. */
  #position: Promise<Position | undefined>;
  #taking: Promise<unknown> = Promise.resolve();
  /** Last submission. A new position is loaded after it has ended. */
  #lastSubmitted: Promise<void>;
  #isPaused: boolean;
  #isReleased = false;
  #isStopped = false;

  /** Begins to load the position. `before`: the same partition in the member's previous assignment. */
  constructor(parts: PartitionParts, topic: string, partition: number, before: AssignedPartition | undefined) {
    this.#parts = parts;
    this.topic = topic;
    this.partition = partition;
    this.#lastSubmitted = before?.settled ?? Promise.resolve();
    this.#isPaused = before !== undefined && before.#isPaused;
    this.#position = this.#load();
  }

  get name(): string {
    return `${this.topic}/${this.partition}`;
  }

  /** Whether the partition waits for an operator's decision. */
  get isStopped(): boolean {
    return this.#isStopped && !this.#isReleased;
  }

  /** Resolves when everything that was handed over is durable or has failed. */
  get settled(): Promise<void> {
    return this.#lastSubmitted;
  }

  /** Ends the assignment: nothing more is handed over. */
  release(): void {
    this.#isReleased = true;
  }

  /** Goes on if an operator has decided: the stop is gone from the database. */
  async takeDecision(): Promise<void> {
    const stored = await this.#parts.offsets.read(this.#parts.cluster, this.topic, this.partition);
    if ((stored && stored.stopped !== null) || !this.isStopped) return;
    this.#isStopped = false;
    void this.#load();
  }

  /**
   * Takes a batch. Resolves to the offset behind which the next fetch begins, or undefined if the batch was not taken. A batch that comes while
   * another is being taken waits for it; this happens only after a lost heartbeat.
   */
  take(batch: FetchedBatch): Promise<bigint | undefined> {
    const taken = this.#taking.then(() => this.#take(batch));
    this.#taking = taken.catch(() => undefined);
    return taken;
  }

  async #take(batch: FetchedBatch): Promise<bigint | undefined> {
    const position = await this.#position;
    if (!position || position.ended || this.#isOver(position) || batch.isStale()) return undefined;
    if (batch.asked !== position.asked) {
      // Fetched before the seek took effect, or the broker reset the offset: the log may not be the one that was read.
      await this.#load();
      return undefined;
    }
    const { records, unreadable } = batch;
    const first = records[0];
    if (position.verify && first) {
      if (!isSame(first, position.verify)) {
        await this.#end(position, () => this.#stopAnew(position));
        return undefined;
      }
      position.verify = undefined;
    }
    this.#parts.lag.endsAt(this.topic, this.partition, batch.high);
    const unread = records.filter(({ offset }) => offset >= position.next);
    if (unread.length > 0) await this.#submit(position, unread);
    if (this.#isOver(position)) return undefined;
    if (unreadable) {
      await this.#end(position, () => this.#passUnreadable(position, unreadable));
      return undefined;
    }
    position.asked = batch.last + 1n;
    if (position.inFlight.length >= MAX_IN_FLIGHT) await position.inFlight[0];
    return batch.last;
  }

  #isOver({ failed }: Position): boolean {
    return failed || this.#isReleased;
  }

  /** Loads the position and retries until it is known: without traffic, nothing else would try again. */
  #load(): Promise<Position | undefined> {
    return (this.#position = this.#loadUntilKnown());
  }

  async #loadUntilKnown(): Promise<Position | undefined> {
    const { topic, partition } = this;
    while (!this.#isReleased) {
      try {
        return await this.#loadOnce();
      } catch (error) {
        this.#parts.log.error(
          { err: error, topic, partition },
          'cannot read the stored offset of a partition; retrying',
        );
        await delay(RETRY_MS, undefined, { ref: false });
      }
    }
    return undefined;
  }

  async #loadOnce(): Promise<Position | undefined> {
    const { topic, partition } = this;
    const { cluster, offsets, bounds, lag } = this.#parts;
    await this.#lastSubmitted;
    const stored = await offsets.read(cluster, topic, partition);
    const found = (await bounds.ofTopic(topic))?.get(partition);
    if (this.#isReleased) return undefined;
    if (!found) throw new Error(`the broker names no offsets of ${this.name}`);
    const { low, high } = found;
    lag.standsAt(topic, partition, stored?.next ?? low);
    lag.endsAt(topic, partition, high);
    const resumption = resume(stored, found);
    switch (resumption.action) {
      case 'stop':
        await this.#stop(resumption.reason, stored?.next ?? low);
        return undefined;
      case 'gap': {
        const { from, to } = resumption;
        await this.#recordGap(from, to, 'the records were gone before they could be read');
        return this.#isReleased ? undefined : this.#seek(to, to);
      }
      case 'resume':
        return this.#seek(resumption.seek, stored?.next ?? resumption.seek, resumption.verify);
      default:
        return resumption satisfies never;
    }
  }

  #seek(asked: bigint, next: bigint, verify?: Verified): Position {
    const { topic, partition } = this;
    this.#parts.member.seek(topic, partition, asked);
    if (this.#isPaused) this.#parts.member.resume(topic, partition);
    this.#isPaused = false;
    return { asked, next, verify, inFlight: [], failed: false, ended: false };
  }

  #pause(): void {
    this.#isPaused = true;
    this.#parts.member.pause(this.topic, this.partition);
  }

  /** Stops the partition if its stored offset is still `held`. If another process has moved it, it is read again. */
  async #stop(reason: string, held: bigint): Promise<void> {
    const { topic, partition } = this;
    this.#pause();
    if (!(await this.#parts.offsets.stop(this.#parts.cluster, topic, partition, reason, held)))
      throw new Error(`${this.name} no longer stands at ${held}`);
    this.#parts.log.error({ topic, partition, reason }, 'a partition is stopped until an operator decides');
    this.#isStopped = true;
  }

  async #recordGap(from: bigint, to: bigint, reason: string): Promise<void> {
    const { topic, partition } = this;
    const { cluster, state, appender, lag, log, now } = this.#parts;
    const source = state.sourcesOfTopic(topic)[0];
    const tenant = source && state.tenant(source.tenant);
    const timeMs = now();
    const id = `gap-${cluster}-${topic}-${partition}-${from}-${timeMs}`;
    const offset = { cluster, topic, partition, held: from, next: to, lastOffset: null, lastSha256: null };
    const data = { topic, partition, from_offset: String(from), to_offset: String(to), reason };
    log.error({ topic, partition, from: String(from), to: String(to), reason }, 'records are missing from a topic');
    await appender.submit({
      events: [],
      own: tenant ? [{ tenant, name: 'log.gap', id, timeMs, data }] : [],
      offset,
    });
    lag.standsAt(topic, partition, to);
  }

  /**
   * Hands fetched records to the appender and goes on: the next records are fetched and judged while these become durable. A flood of refused
   * records is handed over in parts, of which only a few wait at once. The rest waits in Kafka, and the room in memory is left for others.
   */
  async #submit(position: Position, records: readonly KafkaRecord[]): Promise<void> {
    const { appender, ruleQuota } = this.#parts;
    await appender.roomForKafka();
    if (this.#isOver(position)) return;
    const waiting: Promise<void>[] = [];
    try {
      for await (const { events, last } of this.#judgeInParts(position, records)) {
        await waiting.at(-MAX_PARTS_WAITING);
        if (this.#isOver(position)) break;
        if (!ruleQuota.tryAdmit(events)) {
          position.failed = true;
          void this.#waitForRules(events);
          break;
        }
        waiting.push(this.#submitPart(position, events, last));
      }
    } catch (error) {
      // A signature could not be checked now. The records before it are handed over; it is read again after them.
      position.failed = true;
      void this.#retryLater(error);
    }
    position.inFlight.push(Promise.all(waiting).then(() => void position.inFlight.shift()));
  }

  /** Judges and seals records, with turns for other work in between. Throws at a record whose signature cannot be checked now. */
  async *#judgeInParts(position: Position, records: readonly KafkaRecord[]): AsyncGenerator<Part> {
    const { state, appender, now } = this.#parts;
    let events: Judged[] = [];
    let refused = 0;
    let weight = 0;
    let taken: readonly PromiseSettledResult<TakenRecord>[] = [];
    for (const [at, record] of records.entries()) {
      const nth = at % JUDGED_IN_A_TURN;
      if (nth === 0) taken = await this.#takeRecords(records.slice(at, at + JUDGED_IN_A_TURN));
      const one = taken[nth]!;
      if (one.status === 'rejected') {
        if (events.length > 0) yield { events, last: records[at - 1]! };
        throw one.reason;
      }
      for (const judged of judgeRecord(one.value, record, state, now())) {
        appender.prepare(judged);
        events.push(judged);
        weight += weightOf(judged);
        if (!judged.accepted) refused += 1;
      }
      const isLast = at === records.length - 1;
      const isFull = refused >= MAX_REFUSED_AT_ONCE || weight >= MAX_BATCH_EVENTS;
      if (isLast || isFull) {
        yield { events, last: record };
        [events, refused, weight] = [[], 0, 0];
      }
      if (!isLast && (isFull || at % JUDGED_IN_A_TURN === JUDGED_IN_A_TURN - 1)) await nextTurn();
      if (this.#isOver(position)) return;
    }
  }

  #takeRecords(records: readonly KafkaRecord[]): Promise<readonly PromiseSettledResult<TakenRecord>[]> {
    const { state, signatures } = this.#parts;
    return Promise.allSettled(records.map((record) => takeRecord(this.topic, record, state, signatures)));
  }

  #submitPart(position: Position, events: readonly Judged[], last: KafkaRecord): Promise<void> {
    const { topic, partition } = this;
    const next = last.offset + 1n;
    const stored = this.#store(events, {
      cluster: this.#parts.cluster,
      topic,
      partition,
      held: position.next,
      next,
      lastOffset: last.offset,
      lastSha256: digestOf(last),
    }).catch((error: unknown) => {
      if (position.failed) return;
      position.failed = true;
      void this.#retryLater(error);
    });
    position.next = next;
    this.#lastSubmitted = stored;
    return stored;
  }

  async #store(events: readonly Judged[], offset: OffsetMove): Promise<void> {
    await this.#parts.appender.submit({ events, offset });
    if (!this.#isReleased) this.#parts.lag.standsAt(this.topic, this.partition, offset.next);
  }

  /** Pauses until the partition's source may add rules again. Its records wait in Kafka, and other partitions go on. */
  async #waitForRules(events: readonly Judged[]): Promise<void> {
    this.#pause();
    await this.#lastSubmitted;
    await this.#parts.ruleQuota.whenRoom(events, () => this.#isReleased);
    if (!this.#isReleased) await this.#load();
  }

  /** Reads again from the stored offset, because nothing was stored or another consumer stored it. */
  async #retryLater(error: unknown): Promise<void> {
    if (this.#isReleased) return;
    if (!(error instanceof OffsetLost)) {
      const { topic, partition } = this;
      this.#parts.log.error(
        { err: error, topic, partition },
        'cannot check or store a batch of a partition; reading it again',
      );
      this.#pause();
      await delay(RETRY_MS, undefined, { ref: false });
      if (this.#isReleased) return;
    }
    await this.#load();
  }

  /** Stops reading, runs `act` once the submissions are durable, then loads the position again. */
  #end(position: Position, act: () => Promise<void>): Promise<unknown> {
    position.ended = true;
    return (this.#position = this.#actAfterSubmissions(position, act));
  }

  async #actAfterSubmissions(position: Position, act: () => Promise<void>): Promise<Position | undefined> {
    const { topic, partition } = this;
    await this.#lastSubmitted;
    // An earlier submission was not stored: it is read again first, and this record after it.
    if (this.#isOver(position)) return undefined;
    await act().catch((error: unknown) =>
      this.#parts.log.error({ err: error, topic, partition }, 'cannot stop or move a partition; reading it again'),
    );
    return this.#isStopped ? undefined : this.#loadUntilKnown();
  }

  #stopAnew({ next, verify }: Position): Promise<void> {
    const reason = `another record stands at offset ${verify!.offset} than the one that was read: the topic was made anew`;
    return this.#stop(stopReason('made-anew', reason), next);
  }

  /**
   * Skips a record set that nobody can read, now or later, and records a gap in the ledger, if the end of the set is known. If it is not, or
   * if the set holds the record that identifies the log, the partition stops until an operator decides.
   */
  async #passUnreadable(
    { next, verify }: Position,
    { topic, problem, firstOffset, nextOffset }: UnreadableRecordSet,
  ): Promise<void> {
    const reason = `the record set at offset ${firstOffset} cannot be read (${problem})`;
    if (nextOffset === undefined || nextOffset <= next || verify)
      await this.#stop(stopReason('unreadable', reason), next);
    else await this.#recordGap(next, nextOffset, reason);
    this.#parts.unreadables.inc({ topic, problem });
  }
}

/** Events of records that follow one another, and the last of these records. */
interface Part {
  readonly events: readonly Judged[];
  readonly last: KafkaRecord;
}

const isSame = (record: KafkaRecord, { offset, sha256 }: Verified): boolean =>
  record.offset === offset && digestOf(record).equals(sha256);
