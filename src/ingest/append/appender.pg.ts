import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { REJECT_CODES, RescindError, type EventName, type TokenIssued } from '../../contracts/index.js';
import {
  commandFromEvent,
  isRuleEvent,
  type Command,
  type ControlFollower,
  type ControlLog,
} from '../../control/index.js';
import { createRangeKeeper, RangeMissing } from '../../log/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Metrics } from '../../platform/observe/index.js';
import { findForeignTokens } from '../../projections/index.js';
import type { Accepted } from '../accept/accept.js';
import { createBatchWriter, isRefusal, isTransient, type Replace } from './bisect.pg.js';
import { createContradictionOrders } from './contradictions.pg.js';
import { takeNext, type Counted } from './next-batch.js';
import type { Refused } from './quarantine.pg.js';
import { OffsetLost, speakerOf, type Judged, type Outcome, type Submission } from './submission.js';
import { createWaitingRoom, type DoorName, type Load } from './waiting-room.js';
import { weightOf } from './weight.js';
import { sealEvent, type Written } from './write-batch.pg.js';

/** Attempts to write a batch that the database aborted through no fault of its events (deadlock, restart). */
const MAX_ATTEMPTS = 3;

/** Delay before owed entries and rules are tried again after a failure, unless a batch takes them along earlier. */
const OWED_RETRY_MS = 1_000;

const DOORS: readonly DoorName[] = ['http', 'kafka'];

export interface Appender {
  /**
   * Writes a submission, in one transaction with others. Resolves when it is durable, with an outcome for each event in order. Rejects
   * with `OffsetLost` if its partition moved, with `overloaded` if HTTP has no room, or with `database-unavailable`: then the outcome is
   * unknown, and the submission may be repeated, because duplicates are stored once.
   */
  submit(submission: Submission): Promise<readonly Outcome[]>;
  /** Resolves when a partition may hand over more. The events of Kafka that wait in memory are bounded; further records wait in Kafka. */
  readonly roomForKafka: () => Promise<void>;
  /** Seals the event early, for callers that process many events and yield in between. */
  prepare(judged: Judged): void;
  /** Resumes work that a crash left: rules on contradictions, and ledger entries owed to control records. */
  start(): Promise<void>;
  /** Finishes submitted work and refuses later submissions. */
  stop(): Promise<void>;
}

interface Waiting extends Counted {
  readonly door: DoorName;
  readonly load: Load;
  readonly resolve: (outcomes: readonly Outcome[]) => void;
  readonly reject: (error: unknown) => void;
}

export interface AppenderOptions {
  readonly pool: Pool;
  readonly controlLog: ControlLog;
  readonly follower: ControlFollower;
  readonly log: Log;
  readonly metrics: Metrics;
  /** False for a process that records only what it sees itself. Processes that take events write the ledger entries of control records and order the blocks on contradictions. */
  readonly paysOwed?: boolean;
  /** Called with refused events once they are in quarantine. Must not throw. */
  readonly onRefused?: (refused: readonly Refused[]) => void;
}

export function createAppender({
  pool,
  controlLog,
  follower,
  log,
  metrics,
  onRefused,
  paysOwed = true,
}: AppenderOptions): Appender {
  const { state } = follower;
  const counted = metrics.counter('rescind_ingest_events_total', 'Events by outcome and door.', [
    'outcome',
    'door',
    'type',
  ]);
  const rejects = metrics.counter('rescind_ingest_rejected_total', 'Refused events by reason and door.', [
    'code',
    'door',
  ]);
  // A counter that first appears with a value has no rate for that value, so every series starts at 0.
  for (const code of Object.keys(REJECT_CODES)) for (const door of DOORS) rejects.inc({ code, door }, 0);
  const routesOver = metrics.counter(
    'rescind_ingest_routes_over_total',
    'Uses of routes beyond the number that a source may bring.',
    ['source'],
  );
  const foreignUses = metrics.counter(
    'rescind_ingest_foreign_uses_total',
    'Uses that a source reported of tokens whose audience is none of its resources; attributed to nobody.',
    ['source'],
  );
  const batchSize = metrics.histogram(
    'rescind_ingest_batch_events',
    'Events of one transaction.',
    [],
    [1, 10, 100, 500, 1000, 2000, 4000],
  );
  const batchSeconds = metrics.histogram('rescind_ingest_batch_seconds', 'Duration of one batch.', []);
  const numbers = metrics.gauge(
    'rescind_sequence_findings',
    'Numbers of the sequence of a source that have not come, came twice, or were given up.',
    ['source', 'finding'],
  );
  const batches = createBatchWriter({ pool, state, log, withOutbox: paysOwed });
  const contradictions = createContradictionOrders({ pool, controlLog, state, log });
  let waiting: Waiting[] = [];
  /** Waiting submissions of speakers whose events the database refused. They are written apart, so that the search delays nobody else. */
  const apart = new Map<string, Waiting[]>();
  const room = createWaitingRoom();
  metrics.gauge('rescind_ingest_waiting_events', 'Events that wait for their batch.', [], () => room.events);
  let outboxDue = paysOwed;
  let owed: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let runningApart: Promise<void> | undefined;
  let stopping = false;

  const rangeFailed = (error: unknown): void =>
    log.error({ err: error }, 'cannot create the next range of the ledger; retrying');
  const ranges = createRangeKeeper({ pool, onError: rangeFailed });

  const isDue = (): boolean => waiting.length > 0 || outboxDue;

  const run = (): void => {
    if (running === undefined && isDue()) running = drain();
  };

  async function drain(): Promise<void> {
    try {
      while (isDue()) {
        const batch = takeBatch();
        outboxDue = false;
        const startedAt = performance.now();
        await writeWaiting(batch);
        batchSize.observe(batch.reduce((sum, { submission }) => sum + submission.events.length, 0));
        batchSeconds.observe((performance.now() - startedAt) / 1000);
      }
    } finally {
      // Synchronous with the last check for due work: a later submission starts a new run.
      running = undefined;
    }
  }

  function takeBatch(): readonly Waiting[] {
    const { batch, rest } = takeNext(waiting);
    waiting = rest;
    for (const { door, load, speaker } of batch) room.leave(door, load, speaker);
    return batch;
  }

  /** Moves a speaker's submissions, present and future, to be written apart and in order, until a batch of them has no refusal. */
  function setApart(batch: readonly Waiting[]): void {
    const { speaker } = batch[0]!;
    // Kafka's submissions leave Kafka's room, where they would block other topics. The fetches of their partitions bound them.
    const later = waiting.filter((one) => one.speaker === speaker);
    for (const { door, load } of batch) if (door === 'http') room.enterAgain(load, speaker);
    for (const { door, load } of later) if (door === 'kafka') room.leave(door, load, speaker);
    apart.set(speaker, [...batch, ...later]);
    waiting = waiting.filter((one) => one.speaker !== speaker);
    runningApart ??= drainApart();
  }

  /** Writes the submissions set apart. Speakers take turns, a batch each. */
  async function drainApart(): Promise<void> {
    try {
      for (;;) {
        const [speaker, theirs] = [...apart].find(([, one]) => one.length > 0) ?? [];
        if (speaker === undefined || theirs === undefined) return;
        const { batch, rest } = takeNext(theirs);
        apart.delete(speaker);
        apart.set(speaker, rest);
        for (const { door, load } of batch) if (door === 'http') room.leave(door, load, speaker);
        const refused = await writeWaiting(batch, true);
        if (!refused && apart.get(speaker)!.length === 0) apart.delete(speaker);
      }
    } finally {
      runningApart = undefined;
    }
  }

  /** Schedules the work that a failed batch would have taken along, so that it does not wait for the next event. */
  function payLater(): void {
    if (stopping || !paysOwed) return;
    clearTimeout(owed);
    owed = setTimeout(() => {
      outboxDue = true;
      run();
    }, OWED_RETRY_MS);
    owed.unref();
  }

  /**
   * Writes a batch. A submission that lost its partition is rejected and the rest is written; one failure does not affect the others. If the
   * database refuses the batch, its speakers are split until each has been written or is alone, and a refused speaker that is alone is set
   * apart. Resolves to whether the database refused anything.
   */
  async function writeWaiting(batch: readonly Waiting[], isApart = false, attempt = 1): Promise<boolean> {
    try {
      const { outcomes, contradicted, refused } = await write(
        batch.map(({ submission }) => submission),
        isApart,
      );
      for (const one of batch)
        answer(
          one,
          one.submission.events.map((judged) => outcomes.get(judged)!),
          contradicted,
        );
      return refused;
    } catch (error) {
      if (error instanceof OffsetLost) {
        batch.find(({ submission }) => submission.offset === error.move)?.reject(error);
        const rest = batch.filter(({ submission }) => submission.offset !== error.move);
        return rest.length > 0 && writeWaiting(rest, isApart, attempt);
      }
      if (isRefusal(error) && !isApart && batch.length > 0) {
        await part(batch);
        return true;
      }
      if ((isTransient(error) || error instanceof RangeMissing) && attempt < MAX_ATTEMPTS) {
        if (error instanceof RangeMissing) await ranges.ensure(error.upTo).catch(rangeFailed);
        return writeWaiting(batch, isApart, attempt + 1);
      }
      log.error(
        { err: error, submissions: batch.length },
        'cannot write a batch; its submissions are refused and may be repeated',
      );
      payLater();
      for (const { reject } of batch) reject(new RescindError('database-unavailable', { cause: error }));
      return false;
    }
  }

  /** Splits the batch by speakers and writes each half: the others' events become durable before the search for the culprit's begins. */
  async function part(batch: readonly Waiting[]): Promise<void> {
    const speakers = [...new Set(batch.map(({ speaker }) => speaker))];
    if (speakers.length === 1) return setApart(batch);
    const first = new Set(speakers.slice(0, speakers.length >> 1));
    await writeWaiting(batch.filter(({ speaker }) => first.has(speaker)));
    await writeWaiting(batch.filter(({ speaker }) => !first.has(speaker)));
  }

  /** Answers a submission. A contradicting event is answered when its block is ordered; no other event waits for that. */
  function answer(
    { resolve, reject }: Waiting,
    outcomes: readonly Outcome[],
    contradicted: ReadonlySet<Outcome>,
  ): void {
    if (!outcomes.some((outcome) => contradicted.has(outcome))) return resolve(outcomes);
    contradictions.settle().then(
      () => resolve(outcomes),
      (error: unknown) => reject(new RescindError('database-unavailable', { cause: error })),
    );
  }

  interface Answers {
    readonly outcomes: ReadonlyMap<Judged, Outcome>;
    /** Events that contradict an earlier event. */
    readonly contradicted: ReadonlySet<Outcome>;
    /** Whether the database refused an event. */
    readonly refused: boolean;
  }

  async function write(submissions: readonly Submission[], isApart: boolean): Promise<Answers> {
    const { rows } = await pool.query<{ seq: string }>('SELECT seq FROM control_head');
    const seenSeq = BigInt(rows[0]!.seq);
    const originals = new Map<Judged, Judged>();
    const replace = (judged: Judged, by: Judged): Judged => {
      originals.set(by, originals.get(judged) ?? judged);
      return by;
    };
    const ordered = await orderRules(await refuseForeignTokens(submissions, replace), replace);
    const written = await (isApart
      ? batches.writeBisecting(ordered, seenSeq, replace)
      : batches.write(ordered, seenSeq));
    ranges.noted(written.highest);
    for (const [source, uses] of written.routesOver) routesOver.inc({ source }, uses);
    for (const [source, uses] of written.foreignUses) foreignUses.inc({ source }, uses);
    if (written.outboxLeft) outboxDue = true;
    if (written.refused.length > 0) onRefused?.(written.refused);
    const outcomes = new Map(
      [...written.outcomes].map(([judged, outcome]) => [originals.get(judged) ?? judged, outcome]),
    );
    countOutcomes(outcomes);
    tellSequences(written.sequences);
    const refused = written.refused.some(({ rejected }) => rejected.code === 'refused-by-database');
    return { outcomes, contradicted: contradictedOf(written), refused };
  }

  function contradictedOf({ outcomes, conflicts }: Written): ReadonlySet<Outcome> {
    if (conflicts.length === 0) return new Set();
    const places = new Set(conflicts.map(({ tenant, ix }) => `${tenant} ${ix}`));
    const isThere = ([judged, outcome]: readonly [Judged, Outcome]): boolean =>
      judged.accepted && outcome.state === 'sequenced' && places.has(`${judged.source.tenant} ${outcome.index}`);
    return new Set([...outcomes].filter(isThere).map(([, outcome]) => outcome));
  }

  /** Refuses events that name another issuer's token. A digest belongs to the issuer that announced it first. */
  async function refuseForeignTokens(
    submissions: readonly Submission[],
    replace: Replace,
  ): Promise<readonly Submission[]> {
    const accepted = submissions
      .flatMap(({ events }) => events)
      .filter((judged): judged is Judged & Accepted => judged.accepted);
    const announced = accepted
      .filter(({ name }) => name === 'token.issued')
      .map((judged) => ({
        judged,
        tenant: judged.source.tenant,
        tenantKey: state.tenant(judged.source.tenant)!.key,
        data: judged.event.data as TokenIssued,
      }));
    const foreign = new Set<Judged>([...(await findForeignTokens(pool, announced))].map(({ judged }) => judged));
    if (foreign.size === 0) return submissions;
    const detail = 'another issuer has announced a token with this digest';
    return submissions.map((submission) => ({
      ...submission,
      events: submission.events.map((judged) =>
        foreign.has(judged)
          ? replace(judged, { ...judged, accepted: false, code: 'token-of-another-issuer', detail } as Judged)
          : judged,
      ),
    }));
  }

  /** Orders the rules of a batch's events before the batch is written. Each rule applies once (design, section 4). */
  async function orderRules(submissions: readonly Submission[], replace: Replace): Promise<Submission[]> {
    const known = await findConflicting(submissions);
    return Promise.all(
      submissions.map(async (submission) => ({
        ...submission,
        events: await Promise.all(submission.events.map((judged) => orderRule(judged, known, replace))),
      })),
    );
  }

  async function orderRule(judged: Judged, known: ReadonlySet<Judged>, replace: Replace): Promise<Judged> {
    if (!judged.accepted || !isRuleEvent(judged.name)) return judged;
    if (!known.has(judged)) {
      const { same } = await controlLog.append(ruleCommand(judged));
      if (same) return judged;
    }
    return replace(judged, {
      ...judged,
      accepted: false,
      code: 'conflict',
      detail: 'an event with other content has this id already; give each event an id of its own',
    });
  }

  function ruleCommand(judged: Judged & { accepted: true }): Command {
    const { source, event, timeMs, arrivedMs, content } = judged;
    return commandFromEvent({
      tenant: state.tenant(source.tenant)!,
      source,
      event: { name: judged.name, data: event.data, id: event.id, timeMs, arrivedMs } as Parameters<
        typeof commandFromEvent
      >[0]['event'],
      content,
      newId: randomUUID,
    });
  }

  /** Finds rule events whose id already belongs to other content, earlier or in this batch. They must order nothing. */
  async function findConflicting(submissions: readonly Submission[]): Promise<ReadonlySet<Judged>> {
    const accepted = submissions
      .flatMap(({ events }) => events)
      .filter((judged): judged is Judged & Accepted => judged.accepted);
    const events = accepted.filter(({ name }) => isRuleEvent(name));
    if (events.length === 0) return new Set();
    const firstContent = new Map<string, string>();
    const idOf = ({ source, event }: Accepted): string => JSON.stringify([source.id, event.id]);
    for (const judged of accepted) if (!firstContent.has(idOf(judged))) firstContent.set(idOf(judged), judged.content);
    const entries = events.map((judged) => sealEvent(judged, state));
    const { rows } = await pool.query<{ nth: string }>(
      `SELECT w.nth FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) WITH ORDINALITY AS w (tenant, key, hash, nth)
       CROSS JOIN LATERAL (SELECT hash FROM dedupe WHERE tenant = w.tenant AND key = w.key LIMIT 1) d WHERE d.hash <> w.hash`,
      [
        entries.map(({ tenant }) => tenant),
        entries.map(({ dedupeKey }) => Buffer.from(dedupeKey, 'latin1')),
        entries.map(({ hash }) => Buffer.from(hash, 'latin1')),
      ],
    );
    const known = rows.map(({ nth }) => events[Number(nth) - 1]!);
    return new Set([...known, ...events.filter((judged) => firstContent.get(idOf(judged)) !== judged.content)]);
  }

  function countOutcomes(outcomes: ReadonlyMap<Judged, Outcome>): void {
    for (const [judged, outcome] of outcomes) {
      const door = judged.arrived.door.kind;
      counted.inc({ outcome: outcome.state, door, type: judged.accepted ? (judged.name satisfies EventName) : 'none' });
      if (outcome.state === 'rejected') rejects.inc({ code: outcome.code, door });
    }
  }

  /** Reports sequence gaps as of the last batch in which the source numbered an event. `query` reads the state of all sources. */
  function tellSequences(sequences: Written['sequences']): void {
    for (const { source: id, missing, repeated, givenUp } of sequences) {
      const source = state.source(id)!.name;
      for (const [finding, count] of [
        ['missing', missing],
        ['repeated', repeated],
        ['given-up', givenUp],
      ] as const)
        numbers.set({ source, finding }, count);
    }
  }

  if (paysOwed) {
    follower.onApplied(() => {
      outboxDue = true;
      run();
    });
  }

  return {
    roomForKafka: room.roomForKafka,
    prepare(judged) {
      if (judged.accepted) sealEvent(judged, state);
    },
    submit(submission) {
      if (stopping) return Promise.reject(new RescindError('shutting-down'));
      const door: DoorName = submission.offset ? 'kafka' : 'http';
      const load = {
        events: submission.events.length,
        bytes: submission.events.reduce((sum, { arrived }) => sum + arrived.bytes.length, 0),
      };
      const speaker = speakerOf(submission);
      const theirs = apart.get(speaker);
      const needsRoom = door === 'http' || !theirs;
      if (needsRoom && !room.enter(door, load, speaker)) return Promise.reject(new RescindError('overloaded'));
      let refused = 0;
      // Each of Rescind's own is an entry, and of a token its rows.
      let weight = submission.own?.length ?? 0;
      for (const judged of submission.events) {
        weight += weightOf(judged);
        if (judged.accepted) sealEvent(judged, state);
        else refused += 1;
      }
      return new Promise((resolve, reject) => {
        const one = { door, load, weight, refused, speaker, submission, resolve, reject };
        if (theirs) {
          theirs.push(one);
          runningApart ??= drainApart();
        } else {
          waiting.push(one);
          run();
        }
      });
    },
    async start() {
      await ranges.start();
      await contradictions.settle();
      outboxDue = true;
      run();
    },
    async stop() {
      stopping = true;
      clearTimeout(owed);
      room.close();
      await running;
      await runningApart;
      await contradictions.stop();
    },
  };
}
