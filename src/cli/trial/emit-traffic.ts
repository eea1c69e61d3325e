import type { Producer, ProducerStats, RefusedEvent } from '../../emit/index.js';
import type { Context } from '../context.js';
import { makeTraffic, type TrafficEvent } from './emit-mix.js';

export interface TrafficOptions {
  readonly url: string;
  readonly key: string;
  /** Events a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly json: boolean;
}

const TICK_MS = 10;
const REPORT_MS = 1_000;
/** Time for the last events, once no new ones are sent. */
const CLOSE_TIMEOUT_MS = 5_000;
/** Waiting events at which new ones are held back, so that a slow service shows as a lower rate and not as lost events. */
const MAX_WAITING = 10_000;

export interface TrafficTotals {
  readonly seconds: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly dropped: number;
  readonly waiting: number;
  /** Events a second since the last report. */
  readonly rate: number;
  /** Age of the oldest event that waits for its answer. */
  readonly lag_ms: number;
  /** Why the service takes no events, if it takes none. */
  readonly away?: string;
}

/** Sends traffic at a rate, reports once a second, and resolves with the totals. */
export async function emitTraffic(context: Context, options: TrafficOptions): Promise<TrafficTotals> {
  const { createProducer, httpTransport } = await import('../../emit/index.js');
  const { TRIAL_APP, TRIAL_IDP } = await import('./emit-mix.js');
  const reasons = new Map<string, number>();
  const onRefused = ({ event, code }: RefusedEvent): void => {
    const what = `${event.type}: ${code}`;
    reasons.set(what, (reasons.get(what) ?? 0) + 1);
  };
  const producerFor = (source: string): Producer =>
    createProducer({
      source,
      transport: httpTransport({ url: options.url, credentials: { bearer: options.key } }),
      maxWaiting: 2 * MAX_WAITING,
      onRefused,
      onDropped: () => undefined,
    });
  const producers = { idp: producerFor(TRIAL_IDP.uri), app: producerFor(TRIAL_APP.uri) };
  const all = Object.values(producers);
  const traffic = makeTraffic();
  const startedAt = performance.now();
  let [sent, sentBefore, reportedAt] = [0, 0, startedAt];

  const totals = (): TrafficTotals => {
    const now = performance.now();
    const rate = Math.round(((sent - sentBefore) * 1000) / Math.max(1, now - reportedAt));
    [sentBefore, reportedAt] = [sent, now];
    return sum(
      all.map((producer) => producer.stats()),
      { sent, rate, seconds: Math.round((now - startedAt) / 100) / 10 },
    );
  };
  const report = (): TrafficTotals => {
    const line = totals();
    context.terminal.out.write(options.json ? `${JSON.stringify(line)}\n` : `${formatTotals(line)}\n`);
    return line;
  };
  const wanted = options.rate * options.seconds;
  const emitDue = (
    due = Math.min(wanted, Math.floor(((performance.now() - startedAt) * options.rate) / 1000)),
  ): void => {
    while (sent < due && all.every((producer) => producer.stats().waiting < MAX_WAITING)) {
      emit(producers, traffic.next().value);
      sent++;
    }
  };

  const ticking = setInterval(() => emitDue(), TICK_MS);
  const reporting = setInterval(report, REPORT_MS);
  const finished = await endOf(options.seconds * 1000);
  clearInterval(ticking);
  clearInterval(reporting);
  // A timer may fire a moment early; this sends the rest of the events that rate and time promise.
  if (finished) emitDue(wanted);
  await Promise.all(all.map((producer) => producer.flush({ timeoutMs: CLOSE_TIMEOUT_MS }).catch(() => undefined)));
  await Promise.all(all.map((producer) => producer.close({ timeoutMs: 1 })));
  for (const [what, count] of reasons) context.terminal.err.write(`${count} refused, ${what}\n`);
  return report();
}

/** Resolves with true after `ms`, or with false at the first Ctrl-C, which ends the run in order. A second Ctrl-C ends the process. */
function endOf(ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (finished: boolean) => () => {
      clearTimeout(timer);
      process.off('SIGINT', interrupt);
      resolve(finished);
    };
    const interrupt = end(false);
    const timer = setTimeout(end(true), ms);
    process.once('SIGINT', interrupt);
  });
}

function emit(
  producers: { readonly idp: Producer; readonly app: Producer },
  { party, name, data }: TrafficEvent,
): void {
  producers[party].emit(name, data as never);
}

function sum(
  stats: readonly ProducerStats[],
  told: { readonly sent: number; readonly rate: number; readonly seconds: number },
): TrafficTotals {
  const total = (of: (one: ProducerStats) => number): number => stats.reduce((so, one) => so + of(one), 0);
  const away = stats.find((one) => one.away !== undefined)?.away;
  return {
    seconds: told.seconds,
    rate: told.rate,
    sent: told.sent,
    acknowledged: total(({ delivered }) => delivered),
    refused: total(({ refused }) => refused),
    dropped: total(({ dropped }) => dropped),
    waiting: total(({ waiting }) => waiting),
    lag_ms: Math.max(...stats.map(({ oldestWaitingMs }) => oldestWaitingMs)),
    ...(away === undefined ? {} : { away }),
  };
}

function formatTotals({
  seconds,
  rate,
  sent,
  acknowledged,
  refused,
  dropped,
  waiting,
  lag_ms: lagMs,
  away,
}: TrafficTotals): string {
  const counts = `${rate}/s  sent ${sent}  acknowledged ${acknowledged}  refused ${refused}  dropped ${dropped}  waiting ${waiting}  lag ${lagMs} ms`;
  return `${seconds.toFixed(1).padStart(6)} s  ${counts}${away === undefined ? '' : `  (${away})`}`;
}
