import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { REJECT_CODES, RescindError, type EventName } from '../contracts/index.js';
import { commandFromEvent, isRuleEvent, type Command, type ControlFollower, type ControlLog } from '../control/index.js';
import { createRangeKeeper, RangeMissing } from '../log/index.js';
import { inTransaction, type Log, type Metrics } from '../platform/index.js';
import type { Accepted } from './accept.js';
import { findConflicted } from './conflicts.pg.js';
import { takeNext, type Counted } from './next-batch.js';
import type { Refused } from './quarantine.pg.js';
import { OffsetLost, type Judged, type Outcome, type Submission } from './submission.js';
import { createWaitingRoom, type DoorName, type Load } from './waiting-room.js';
import { sealBatch, sealEvent, writeBatch, type Batch, type Written } from './write-batch.pg.js';

/** How often a batch is sent again that the database aborted without fault of its events (deadlock, restart). */
const MAX_ATTEMPTS = 3;

/** How long before entries and rules that are owed are tried again after a failure, where no batch takes them along earlier. */
const OWED_RETRY_MS = 1_000;

const DOORS: readonly DoorName[] = ['http', 'kafka'];

export interface Appender {
  /**
   * Writes a submission, in one transaction with others. Resolves when it is durable, with an outcome for each event in
   * order. Rejects with `OffsetLost` when its partition moved, `overloaded` when HTTP has no room, or
   * `database-unavailable`: then nothing is known of it, and it may be submitted again, since duplicates are stored once.
   */
  submit(submission: Submission): Promise<readonly Outcome[]>;
  /** Resolves when a partition may hand over more: what waits of Kafka's is bounded here, and the rest waits in Kafka. */
  readonly roomForKafka: () => Promise<void>;
  /** Does ahead what `submit` would do for this event before it waits; for who has many and can take turns with others. */
  prepare(judged: Judged): void;
  /** Takes up what a crash left: rules on contradictions, ledger entries that control records are owed. */
  start(): Promise<void>;
  /** Finishes what was submitted; refuses what comes later. */
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
  /** Told of what was refused, once it is in quarantine. Must not throw. */
  readonly onRefused?: (refused: readonly Refused[]) => void;
}

export function createAppender({ pool, controlLog, follower, log, metrics, onRefused }: AppenderOptions): Appender {
  const { state } = follower;
  const counted = metrics.counter('rescind_ingest_events_total', 'Events by outcome and door.', ['outcome', 'door', 'type']);
  const rejects = metrics.counter('rescind_ingest_rejected_total', 'Refused events by reason and door.', ['code', 'door']);
  // A rate does not see the value that a series appears with.
  for (const code of Object.keys(REJECT_CODES)) for (const door of DOORS) rejects.inc({ code, door }, 0);
  const routesOver = metrics.counter('rescind_ingest_routes_over_total', 'Uses of routes beyond the number that a source may bring.', ['source']);
  const batchSize = metrics.histogram('rescind_ingest_batch_events', 'Events of one transaction.', [], [1, 10, 100, 500, 1000, 2000, 4000]);
  const batchSeconds = metrics.histogram('rescind_ingest_batch_seconds', 'Duration of one batch.', []);
  const numbers = metrics.gauge('rescind_sequence_findings', 'Numbers of the sequence of a source that have not come, came twice, or were given up.', ['source', 'finding']);
  let waiting: Waiting[] = [];
  const room = createWaitingRoom();
  metrics.gauge('rescind_ingest_waiting_events', 'Events that wait for their batch.', [], () => room.events);
  let outboxDue = true;
  let conflictsDue = true;
  let owed: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let stopping = false;

  const rangeFailed = (error: unknown): void => log.error({ err: error }, 'the next range of the ledger could not be made');
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
      // In one breath with the last look at what is due: whoever submits next starts another.
      running = undefined;
    }
  }

  function takeBatch(): readonly Waiting[] {
    const { batch, rest } = takeNext(waiting);
    waiting = rest;
    for (const { door, load } of batch) room.leave(door, load);
    return batch;
  }

  /** What a failed batch would have taken along must not wait for the next event. */
  function payLater(): void {
    if (stopping) return;
    clearTimeout(owed);
    owed = setTimeout(() => {
      outboxDue = true;
      run();
    }, OWED_RETRY_MS);
    owed.unref();
  }

  /** Takes out of the batch what lost its partition and writes the rest; no failure of one touches another. */
  async function writeWaiting(batch: readonly Waiting[], attempt = 1): Promise<void> {
    try {
      const written = await write(batch.map(({ submission }) => submission));
      for (const { submission, resolve } of batch) resolve(submission.events.map((judged) => written.get(judged)!));
    } catch (error) {
      if (error instanceof OffsetLost) {
        batch.find(({ submission }) => submission.offset === error.move)?.reject(error);
        const rest = batch.filter(({ submission }) => submission.offset !== error.move);
        if (rest.length > 0) await writeWaiting(rest, attempt);
      } else if ((isTransient(error) || error instanceof RangeMissing) && attempt < MAX_ATTEMPTS) {
        if (error instanceof RangeMissing) await ranges.ensure(error.upTo).catch(rangeFailed);
        await writeWaiting(batch, attempt + 1);
      } else {
        log.error({ err: error, submissions: batch.length }, 'a batch could not be written');
        payLater();
        for (const { reject } of batch) reject(new RescindError('database-unavailable', { cause: error }));
      }
    }
  }

  async function write(submissions: readonly Submission[]): Promise<ReadonlyMap<Judged, Outcome>> {
    const { rows } = await pool.query<{ seq: string }>('SELECT seq FROM control_head');
    const seenSeq = BigInt(rows[0]!.seq);
    const originals = new Map<Judged, Judged>();
    const replace = (judged: Judged, by: Judged): Judged => {
      originals.set(by, originals.get(judged) ?? judged);
      return by;
    };
    const ordered = await orderRules(submissions, replace);
    const written = await writeBisecting(ordered, seenSeq, replace);
    ranges.noted(written.highest);
    for (const [source, uses] of written.routesOver) routesOver.inc({ source }, uses);
    await stopConflicted(written);
    if (written.outboxLeft) outboxDue = true;
    if (written.refused.length > 0) onRefused?.(written.refused);
    const outcomes = new Map([...written.outcomes].map(([judged, outcome]) => [originals.get(judged) ?? judged, outcome]));
    countOutcomes(outcomes);
    tellSequences(written.sequences);
    return outcomes;
  }

  /** Events that become rules are ordered before their batch is written; each applies once (design, section 4). */
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
    return replace(judged, { ...judged, accepted: false, code: 'conflict', detail: 'other content under an id that was used' });
  }

  function ruleCommand(judged: Judged & { accepted: true }): Command {
    const { source, event, timeMs, content } = judged;
    return commandFromEvent({
      tenant: state.tenant(source.tenant)!,
      source,
      event: { name: judged.name, data: event.data, id: event.id, timeMs } as Parameters<typeof commandFromEvent>[0]['event'],
      content,
      newId: randomUUID,
    });
  }

  /** Rule events whose id was used for something else, earlier or in this batch: they must order nothing. */
  async function findConflicting(submissions: readonly Submission[]): Promise<ReadonlySet<Judged>> {
    const accepted = submissions.flatMap(({ events }) => events).filter((judged): judged is Judged & Accepted => judged.accepted);
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

  /** An event that the database refuses for what it holds is found by halving and refused; the rest is written. */
  async function writeBisecting(submissions: readonly Submission[], seenSeq: bigint, replace: Replace): Promise<Written> {
    try {
      return await commit(sealBatch(submissions, state), seenSeq);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const culprits = await findCulprits(submissions.flatMap(({ events }) => events).filter(({ accepted }) => accepted), seenSeq);
      if (culprits.length === 0) throw error;
      log.error({ err: error, events: culprits.length }, 'the database refused events; they go to quarantine');
      const detail = 'the database refused it';
      const rest = submissions.map((submission) => ({
        ...submission,
        events: submission.events.map((judged) =>
          culprits.includes(judged) ? replace(judged, { ...judged, accepted: false, code: 'refused-by-database', detail } as Judged) : judged,
        ),
      }));
      // What was written alone may be refused together with the rest: each round takes at least one event out.
      return writeBisecting(rest, seenSeq, replace);
    }
  }

  const commit = (batch: Batch, seenSeq: bigint): Promise<Written> =>
    inTransaction(pool, (client) => writeBatch(client, batch, state, seenSeq));

  async function findCulprits(events: readonly Judged[], seenSeq: bigint): Promise<readonly Judged[]> {
    if (events.length === 0 || (await canBeWritten(events, seenSeq))) return [];
    if (events.length === 1) return events;
    const middle = events.length >> 1;
    const first = await findCulprits(events.slice(0, middle), seenSeq);
    const second = await findCulprits(events.slice(middle), seenSeq);
    const alone = [...first, ...second];
    return alone.length > 0 ? alone : [await findLastStraw(events, seenSeq)];
  }

  /** Both halves can be written and both together cannot: the first event that is refused after those before it. */
  async function findLastStraw(events: readonly Judged[], seenSeq: bigint): Promise<Judged> {
    let fits = events.length >> 1;
    let breaks = events.length;
    while (breaks - fits > 1) {
      const middle = (fits + breaks) >> 1;
      if (await canBeWritten(events.slice(0, middle), seenSeq)) fits = middle;
      else breaks = middle;
    }
    return events[breaks - 1]!;
  }

  async function canBeWritten(events: readonly Judged[], seenSeq: bigint): Promise<boolean> {
    const rehearsal = new Error('rehearsal');
    try {
      await inTransaction(pool, async (client) => {
        await writeBatch(client, sealBatch([{ events }], state), state, seenSeq);
        throw rehearsal;
      });
    } catch (error) {
      if (error === rehearsal) return true;
      if (isRefusal(error)) return false;
      throw error;
    }
    return true;
  }

  /** What two events contradict each other about is stopped by a rule, so that no memory of it survives anywhere. */
  async function stopConflicted({ conflicts }: Pick<Written, 'conflicts'>): Promise<void> {
    if (conflicts.tokens.length + conflicts.idJags.length > 0) conflictsDue = true;
    if (!conflictsDue) return;
    for (const command of await findConflicted(pool, state)) await controlLog.append(command);
    conflictsDue = false;
  }

  function countOutcomes(outcomes: ReadonlyMap<Judged, Outcome>): void {
    for (const [judged, outcome] of outcomes) {
      const door = judged.arrived.door.kind;
      counted.inc({ outcome: outcome.state, door, type: judged.accepted ? (judged.name satisfies EventName) : 'none' });
      if (outcome.state === 'rejected') rejects.inc({ code: outcome.code, door });
    }
  }

  /** As of the last batch in which the source numbered an event; what holds of all sources, `query` reads. */
  function tellSequences(sequences: Written['sequences']): void {
    for (const { source: id, missing, repeated, givenUp } of sequences) {
      const source = state.source(id)!.name;
      for (const [finding, count] of [['missing', missing], ['repeated', repeated], ['given-up', givenUp]] as const) numbers.set({ source, finding }, count);
    }
  }

  follower.onApplied(() => {
    outboxDue = true;
    run();
  });

  return {
    roomForKafka: room.roomForKafka,
    prepare(judged) {
      if (judged.accepted) sealEvent(judged, state);
    },
    submit(submission) {
      if (stopping) return Promise.reject(new RescindError('shutting-down'));
      const door = submission.offset ? 'kafka' : 'http';
      const load = { events: submission.events.length, bytes: submission.events.reduce((sum, { arrived }) => sum + arrived.bytes.length, 0) };
      if (!room.enter(door, load)) return Promise.reject(new RescindError('overloaded'));
      let refused = 0;
      for (const judged of submission.events) {
        if (judged.accepted) sealEvent(judged, state);
        else refused += 1;
      }
      return new Promise((resolve, reject) => {
        waiting.push({ door, load, refused, submission, resolve, reject });
        run();
      });
    },
    async start() {
      await ranges.start();
      await stopConflicted(NOTHING_WRITTEN);
      outboxDue = true;
      run();
    },
    async stop() {
      stopping = true;
      clearTimeout(owed);
      room.close();
      await running;
    },
  };
}

const NOTHING_WRITTEN: Pick<Written, 'conflicts'> = { conflicts: { tokens: [], idJags: [] } };

type Replace = (judged: Judged, by: Judged) => Judged;

const sqlState = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
};

/** Data, integrity and limit errors: the event's own fault (SQLSTATE classes 22, 23, 54). */
const isRefusal = (error: unknown): boolean => /^(22|23|54)[0-9A-Z]{3}$/.test(sqlState(error));

/** Rolled back for reasons outside the batch: serialization, deadlock, lost connection, shutdown. */
const isTransient = (error: unknown): boolean => /^(40|08|57P|ECONN|EPIPE)/.test(sqlState(error));
