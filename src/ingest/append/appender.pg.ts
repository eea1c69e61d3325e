import type { Pool } from 'pg';
import { RescindError } from '../../contracts/index.js';
import type { ControlFollower, ControlLog } from '../../control/index.js';
import { createRangeKeeper, RangeMissing } from '../../log/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Metrics } from '../../platform/observe/index.js';
import { createAppendMetrics } from './append-metrics.js';
import { createBatchWriter, isRefusal, isTransient } from './bisect.pg.js';
import { createContradictionOrders } from './contradictions.pg.js';
import { refuseForeignTokens } from './foreign-tokens.pg.js';
import { createRuleOrders } from './order-rules.pg.js';
import type { Refused } from './quarantine.pg.js';
import { createSubmissionQueue, type Waiting } from './queue.js';
import { OffsetLost, type Item, type Judged, type Outcome, type Submission } from './submission.js';
import { sealEvent, type Written } from './write-batch.pg.js';

/** Attempts to write a batch that the database aborted through no fault of its events (deadlock, restart). */
const MAX_ATTEMPTS = 3;

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
  const batches = createBatchWriter({ pool, state, log, withOutbox: paysOwed });
  const rules = createRuleOrders({ pool, controlLog, state });
  const contradictions = createContradictionOrders({ pool, controlLog, state, log });
  const rangeFailed = (error: unknown): void =>
    log.error({ err: error }, 'cannot create the next range of the ledger; retrying');
  const ranges = createRangeKeeper({ pool, onError: rangeFailed });

  const prepare = (judged: Judged): void => {
    if (judged.accepted) sealEvent(judged, state);
  };
  const queue = createSubmissionQueue({
    async write(batch, isApart) {
      const startedAt = performance.now();
      const refused = await writeWaiting(batch, isApart);
      if (!isApart)
        counts.batch(
          batch.reduce((sum, { submission }) => sum + submission.events.length, 0),
          startedAt,
        );
      return refused;
    },
    onPlace: ({ events }) => events.forEach(prepare),
  });
  const counts = createAppendMetrics(metrics, state, () => queue.events);

  /**
   * Writes a batch. A submission that lost its partition is rejected and the rest is written; one failure does not affect the others. If the
   * database refuses the batch, its speakers are split until each has been written or is alone, and a refused speaker that is alone is set
   * apart. Resolves to whether the database refused anything.
   */
  async function writeWaiting(batch: readonly Waiting[], isApart = false, attempt = 1): Promise<boolean> {
    try {
      const written = await write(batch, isApart);
      const contradicts = contradictionsOf(written);
      for (const one of batch) answer(one, contradicts);
      return written.refused.some(({ rejected }) => rejected.code === 'refused-by-database');
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
      if (paysOwed) queue.wakeLater();
      for (const { reject } of batch) reject(new RescindError('database-unavailable', { cause: error }));
      return false;
    }
  }

  /** Splits the batch by speakers and writes each half: the others' events become durable before the search for the culprit's begins. */
  async function part(batch: readonly Waiting[]): Promise<void> {
    const speakers = [...new Set(batch.map(({ speaker }) => speaker))];
    if (speakers.length === 1) return queue.setApart(batch);
    const first = new Set(speakers.slice(0, speakers.length >> 1));
    await writeWaiting(batch.filter(({ speaker }) => first.has(speaker)));
    await writeWaiting(batch.filter(({ speaker }) => !first.has(speaker)));
  }

  /** Answers a submission. A contradicting event is answered when its block is ordered; no other event waits for that. */
  function answer({ items, resolve, reject }: Waiting, contradicts: (item: Item) => boolean): void {
    const outcomes = items.map(({ outcome }) => outcome!);
    if (!items.some(contradicts)) return resolve(outcomes);
    contradictions.settle().then(
      () => resolve(outcomes),
      (error: unknown) => reject(new RescindError('database-unavailable', { cause: error })),
    );
  }

  async function write(waiting: readonly Waiting[], isApart: boolean): Promise<Written> {
    const { rows } = await pool.query<{ seq: string }>('SELECT seq FROM control_head');
    const seenSeq = BigInt(rows[0]!.seq);
    const batch = {
      items: waiting.flatMap(({ items }) => items),
      moves: waiting.flatMap(({ submission: { offset } }) => offset ?? []),
      own: waiting.flatMap(({ submission: { own } }) => own ?? []),
    };
    await refuseForeignTokens(pool, state, batch.items);
    await rules.order(batch.items);
    const written = await (isApart ? batches.writeBisecting(batch, seenSeq) : batches.write(batch, seenSeq));
    ranges.noted(written.highest);
    if (written.outboxLeft) queue.wake();
    if (written.refused.length > 0) onRefused?.(written.refused);
    counts.written(written, batch.items);
    return written;
  }

  if (paysOwed) follower.onApplied(queue.wake);

  return {
    roomForKafka: queue.roomForKafka,
    prepare,
    submit: queue.submit,
    async start() {
      await ranges.start();
      await contradictions.settle();
      queue.wake();
    },
    async stop() {
      await queue.stop();
      await contradictions.stop();
    },
  };
}

/** Returns a test for events that contradict an earlier event. */
function contradictionsOf({ conflicts }: Written): (item: Item) => boolean {
  const places = new Set(conflicts.map(({ tenant, ix }) => `${tenant} ${ix}`));
  return ({ judged, outcome }) =>
    places.size > 0 && outcome?.state === 'sequenced' && places.has(`${judged.source!.tenant} ${outcome.index}`);
}
