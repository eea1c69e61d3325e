import { setTimeout as delay } from 'node:timers/promises';
import type { Findings } from '../../findings/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Metrics } from '../../platform/observe/index.js';
import { loadSql, withSessionLock, type Pool, type PoolClient } from '../../platform/postgres/index.js';
import type { Outcome, SigningSecret, Told } from '../channel.js';
import { channelKind } from '../kinds.js';
import { MOST_ATTEMPTS, pauseAfter } from './backoff.js';
import { createDeliveryMetrics } from './delivery-metrics.pg.js';
import { planDeliveries } from './plan.pg.js';
import { messageId, type Sender } from './sender.js';
import { createUnderWay } from './under-way.js';

/** Advisory lock of the one process that delivers; an arbitrary number. */
const CHANNELS_LOCK = '7430';
/** Pause between two looks for news and for what is due. */
const LOOK_EVERY_MS = 1_000;
/** Pause after a failure. */
const RETRY_MS = 5_000;
/** Messages of all channels on their way at the same time. Each holds a connection and at most 4 KiB of an answer. */
const MOST_AT_ONCE = 500;
/** Due deliveries that are read of one channel: more than may be on their way. */
const DUE_OF_A_CHANNEL = 16;
/** Deliveries stay listed for so long after they are done. */
export const DELIVERIES_KEPT_MS = 30 * 86_400_000;
const DELETE_EVERY_MS = 60_000;
const DELETED_AT_ONCE = 5_000;

const DUE = loadSql(import.meta.url, 'due.sql');
const DELETE_OLD = `DELETE FROM channel_delivery WHERE tenant = $1 AND (channel, seq) IN (
  SELECT channel, seq FROM channel_delivery WHERE tenant = $1 AND done_ms < $2 LIMIT ${DELETED_AT_ONCE})`;
// A delivery that was replayed meanwhile, or whose channel is gone, keeps what it says.
const WRITE_OUTCOME = `UPDATE channel_delivery SET state = $4, attempts = attempts + 1, next_ms = $5, last_ms = $6, done_ms = $7, took_ms = $8, status = $9, problem = $10
  WHERE tenant = $1 AND channel = $2 AND seq = $3 AND state = 0 AND attempts = $11`;
const WAITING = 0;
const DELIVERED = 1;
const DEAD = 2;

export interface DelivererOptions {
  /** Three connections: one holds the right to deliver and plans, one reads findings, one writes outcomes. */
  readonly pool: Pool;
  readonly tenants: () => Iterable<{ readonly id: string }>;
  readonly findings: Pick<Findings, 'find'>;
  readonly send: Sender;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Returns the current time in epoch milliseconds. */
  readonly now?: () => number;
  readonly random?: () => number;
  readonly lookEveryMs?: number;
}

export interface Deliverer {
  start(): void;
  /** Ends attempts under way; they are made again. */
  stop(): Promise<void>;
}

interface Due {
  readonly tenant: string;
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly secrets: readonly SigningSecret[];
  readonly seq: string;
  readonly finding: string;
  readonly told: Told;
  readonly at_ms: string;
  readonly attempts: number;
}

/** Delivers news of findings to channels, in one process of a deployment at a time. Any process that runs it may take over. */
export function createDeliverer(options: DelivererOptions): Deliverer {
  const { pool, tenants, findings, send, log, metrics, now = Date.now, random = Math.random } = options;
  const { lookEveryMs = LOOK_EVERY_MS } = options;
  const counts = createDeliveryMetrics(metrics);
  const ending = new AbortController();
  const underWay = createUnderWay(MOST_AT_ONCE);
  let running: Promise<void> = Promise.resolve();
  let wake = new AbortController();
  let deletedMs = 0;

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      let pauseMs = lookEveryMs;
      try {
        await withSessionLock(pool, CHANNELS_LOCK, deliverAll);
      } catch (err) {
        counts.errors.inc();
        log.warn({ err, retry_ms: RETRY_MS }, 'cannot deliver findings to channels; retrying');
        pauseMs = RETRY_MS;
      }
      await pause(pauseMs, ending.signal);
    }
  }

  /** Delivers as long as the session lasts that holds the right. */
  async function deliverAll(client: PoolClient): Promise<void> {
    while (!ending.signal.aborted) {
      wake = new AbortController();
      const missed = await planDeliveries(client, now());
      if (missed > 0n) {
        counts.missed.inc(Number(missed));
        log.warn({ missed: String(missed) }, 'news of findings were deleted before they went to channels');
      }
      underWay.forgetEnded();
      const { rows } = await client.query<Due>(DUE, [now(), DUE_OF_A_CHANNEL]);
      for (const due of rows) if (underWay.hasRoom(due, channelKind(due.kind)?.atOnce ?? 1)) begin(due);
      await counts.read(client, now());
      await deleteOld(client);
      await pause(lookEveryMs, AbortSignal.any([ending.signal, wake.signal]));
    }
    await underWay.allEnded();
  }

  function begin(due: Due): void {
    const attempt = deliver(due).then(
      () => wake.abort(),
      (err: unknown) => {
        if (ending.signal.aborted) return;
        counts.errors.inc();
        log.warn({ err, channel: due.name }, 'cannot record a delivery; it is made again');
      },
    );
    underWay.begin(due, attempt);
  }

  async function deliver(due: Due): Promise<void> {
    const finding = await findings.find(due.tenant, due.finding);
    const beganMs = now();
    const outcome: Outcome =
      finding === undefined
        ? { result: 'refused', status: null, problem: 'the finding is gone', answer: '' }
        : await send(due, { ...toldOf(due), finding }, ending.signal);
    if (ending.signal.aborted && outcome.result === 'retry') return;
    await writeOutcome(due, outcome, beganMs);
  }

  async function writeOutcome(due: Due, { result, status, problem, pauseMs }: Outcome, beganMs: number): Promise<void> {
    const made = due.attempts + 1;
    const isDead = result === 'refused' || (result === 'retry' && made >= MOST_ATTEMPTS);
    const endedMs = now();
    counts.attempts.inc({ result: result === 'delivered' ? 'delivered' : isDead ? 'dead' : 'failed' });
    underWay.tell(due.id, result === 'delivered');
    if (isDead)
      log.warn({ channel: due.name, tenant: due.tenant, status, problem }, 'a delivery is dead; it can be replayed');
    await pool.query(WRITE_OUTCOME, [
      due.tenant,
      due.id,
      due.seq,
      result === 'delivered' ? DELIVERED : isDead ? DEAD : WAITING,
      endedMs + pauseAfter(made, random(), pauseMs),
      endedMs,
      result === 'delivered' || isDead ? endedMs : null,
      endedMs - beganMs,
      status,
      problem,
      due.attempts,
    ]);
  }

  async function deleteOld(client: PoolClient): Promise<void> {
    if (now() - deletedMs < DELETE_EVERY_MS) return;
    deletedMs = now();
    for (const { id } of tenants()) await client.query(DELETE_OLD, [id, now() - DELIVERIES_KEPT_MS]);
  }

  return {
    start() {
      running = run();
    },
    async stop() {
      ending.abort();
      await running;
    },
  };
}

const toldOf = ({ id, seq, tenant, told, at_ms: at }: Due) => ({
  id: messageId(id, seq),
  seq: BigInt(seq),
  tenant,
  told,
  atMs: Number(at),
});

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
