import { RescindError, type CloudEvent, type EventDataOf, type SourceEventName } from '../contracts/index.js';
import { createBacklog, type DropReason } from './spool/backlog.js';
import { checkAttribute, writeEvent } from './build-event.js';
import { createDurableWaits, type Receipt } from './spool/durable-waits.js';
import { createFlushes } from './spool/flushes.js';
import {
  DEFAULT_CLOSE_TIMEOUT_MS,
  DEFAULT_DURABLE_TIMEOUT_MS,
  DEFAULT_FLUSH_MS,
  DEFAULT_MAX_BATCH,
  DEFAULT_MAX_WAITING,
  DEFAULT_MAX_WAITING_BYTES,
  DEFAULT_SPOOL_BYTES,
  MAX_BATCH_BYTES,
  checkLimits,
  type ProducerOptions,
} from './producer-options.js';
import { createReports, type ProducerReports } from './producer-reports.js';
import { createProducerCounts, type ProducerStats } from './producer-stats.js';
import { createPump } from './pump.js';
import { openSpool, type Spool } from './spool/spool.js';

/** Attributes of one event; see CloudEvents 1.0. */
export interface EmitOptions {
  /**
   * Identifies the event within the source; 1 to 512 bytes. Default: a random UUID. Give your own id if the same fact may be reported
   * twice.
   */
  readonly id?: string;
  /** When it happened: a `Date` or an RFC 3339 time. Default: now. */
  readonly time?: Date | string;
  readonly subject?: string;
}

/** Options of `emitDurably`. */
export interface DurableOptions extends EmitOptions {
  /** The state to wait for. `spooled` needs a spool, and `delivered` satisfies it too. Default `delivered`. */
  readonly until?: Receipt['state'];
  /** Milliseconds to wait. Default 10,000. */
  readonly timeoutMs?: number;
}

/** Numbers of the events that `close` left undelivered. */
export interface CloseReport {
  /** Events left in the spool for the next producer on the directory. */
  readonly spooled: number;
  /** Events reported to `onDropped` as `closed`. Events of an attempt that was under way may have arrived all the same. */
  readonly dropped: number;
}

/** Sends the events of one source in the background, in the order in which they were accepted. */
export interface Producer {
  /**
   * Accepts an event and returns its id at once; never waits. The event is delivered at least once, or reported to `onRefused` or
   * `onDropped`. Throws `RescindError` for an event that Rescind would refuse (`invalid-event`, `secret-in-event`, `too-large`), and
   * `shutting-down` after `close`.
   *
   * @example producer.emit('session.ended', { iss: 'https://idp.example', sid: 's1', sub: 'u1' })
   */
  emit<N extends SourceEventName>(name: N, data: EventDataOf[N], options?: EmitOptions): string;
  /**
   * Accepts an event and resolves when it is durable: at Rescind, at the broker, or, with `until: 'spooled'`, on this machine's disk.
   * Rejects with what `emit` throws, with the code of a refusal, and with `overloaded` if there is no room. Rejects with `emit-failed`
   * after `timeoutMs`, and at once if the producer itself is refused (`unauthenticated`, `forbidden`, a missing topic); in these cases the
   * producer keeps trying, and the event may still arrive. Rejects with `TypeError` for `spooled` without a spool.
   */
  emitDurably<N extends SourceEventName>(name: N, data: EventDataOf[N], options?: DurableOptions): Promise<Receipt>;
  /**
   * Resolves when every event accepted so far is delivered, refused or dropped. Rejects with `emit-failed` after `timeoutMs` milliseconds,
   * if given.
   */
  flush(options?: { readonly timeoutMs?: number }): Promise<void>;
  /** Returns the counts since the producer was created. */
  stats(): ProducerStats;
  /**
   * Accepts no more events, sends for up to `timeoutMs` (milliseconds, default 5,000), and leaves the rest in the spool or reports it as
   * dropped.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<CloseReport>;
}

interface Accepted {
  readonly id: string;
  readonly place: number | DropReason;
}

/**
 * Creates a producer for one source. Throws `TypeError` for wrong limits, `invalid-event` for a wrong `source`, `config-invalid` if another
 * process spools to the directory, and errors of the file system.
 */
export function createProducer(options: ProducerOptions): Producer {
  const { source, transport, log } = options;
  const {
    flushMs = DEFAULT_FLUSH_MS,
    maxWaiting = DEFAULT_MAX_WAITING,
    maxWaitingBytes = DEFAULT_MAX_WAITING_BYTES,
  } = options;
  const maxEvents = Math.min(options.maxBatch ?? DEFAULT_MAX_BATCH, transport.maxEvents);
  const spoolBytes = options.spool?.maxBytes ?? DEFAULT_SPOOL_BYTES;
  checkAttribute('source', source);
  checkLimits({ flushMs: flushMs + 1, maxWaiting, maxWaitingBytes, maxBatch: maxEvents, 'spool.maxBytes': spoolBytes });

  const counts = createProducerCounts();
  const reports = createReports(options, counts);
  const waits = createDurableWaits();
  const flushes = createFlushes();
  let closing: Promise<CloseReport> | undefined;

  const spool = openOwnSpool(options, spoolBytes, reports);
  counts.recovered = spool?.size ?? 0;
  if (counts.recovered > 0)
    log?.info({ source, events: counts.recovered }, 'found events of an earlier process in the spool; sending them');

  const backlog = createBacklog({
    maxEvents: maxWaiting,
    maxBytes: maxWaitingBytes,
    spool,
    spoolAlways: options.spool?.always ?? false,
    onSpooled: (upTo) => waits.spooledUpTo(upTo),
    onSpoolFailed: (err) => log?.error({ err, source }, 'the spool could not be written'),
  });

  const pump = createPump({
    backlog,
    transport,
    limits: { maxEvents, maxBytes: Math.min(transport.maxBytes, MAX_BATCH_BYTES) },
    flushMs,
    retry: options.retry ?? {},
    onSettled(event, verdict) {
      reports.settled(event, verdict);
      waits.settle(event.seq, verdict);
    },
    onProgress: () => flushes.settledUpTo(backlog.settled),
    onFailed: (error) => {
      // Nobody repairs a key or a topic while a request waits.
      if (error.reason === 'held') waits.giveUp(error, 'delivered');
    },
    onAway: (error) => reports.away(error, backlog.size),
    onBack: (failures) => reports.back(failures, backlog.size),
  });

  function accept<N extends SourceEventName>(
    name: N,
    data: EventDataOf[N],
    { id, time, subject }: EmitOptions,
  ): Accepted {
    if (closing !== undefined) throw new RescindError('shutting-down', { detail: 'the producer is closed' });
    const { event, text, bytes } = writeEvent(name, {
      source,
      data,
      ...(id === undefined ? {} : { id }),
      ...(time === undefined ? {} : { time }),
      ...(subject === undefined ? {} : { subject }),
    });
    counts.accepted++;
    const place = backlog.push({ text, bytes, acceptedAt: Date.now() });
    if (typeof place === 'number') pump.nudge();
    else reports.drop(event, place);
    return { id: event.id, place };
  }

  async function flush(timeoutMs: number | undefined): Promise<void> {
    if (backlog.size === 0) return;
    pump.hurry(backlog.last);
    await flushes.add(backlog.last, timeoutMs);
  }

  async function close(timeoutMs: number): Promise<CloseReport> {
    await flush(timeoutMs).catch(() => undefined);
    await pump.stop();
    const rest = await backlog.close();
    for (const { text } of rest) reports.drop(JSON.parse(text) as CloudEvent, 'closed');
    waits.giveUp(
      new RescindError('shutting-down', { detail: 'the producer was closed before the event was delivered' }),
    );
    flushes.settledUpTo(backlog.last);
    return { spooled: spool?.size ?? 0, dropped: rest.length };
  }

  return {
    emit: (name, data, emitOptions = {}) => accept(name, data, emitOptions).id,
    async emitDurably(name, data, durable = {}) {
      const { until = 'delivered', timeoutMs = DEFAULT_DURABLE_TIMEOUT_MS } = durable;
      if (until === 'spooled' && spool === undefined) throw new TypeError('`until: spooled` needs a spool');
      if (waits.size >= maxWaiting)
        throw new RescindError('overloaded', { detail: `${maxWaiting} callers wait already` });
      const { id, place } = accept(name, data, durable);
      if (typeof place !== 'number')
        throw new RescindError('overloaded', { detail: `no room for the event: ${place}` });
      const receipt = waits.add(place, { id, until, timeoutMs, why: () => pump.lastFailure });
      pump.hurry(place);
      return receipt;
    },
    flush: ({ timeoutMs } = {}) => flush(timeoutMs),
    stats: () => counts.read({ backlog, spool, pump }),
    close: ({ timeoutMs = DEFAULT_CLOSE_TIMEOUT_MS } = {}) => (closing ??= close(timeoutMs)),
  };
}

function openOwnSpool(
  { source, spool, log }: ProducerOptions,
  maxBytes: number,
  reports: ProducerReports,
): Spool | undefined {
  if (spool === undefined) return undefined;
  return openSpool({
    directory: spool.directory,
    maxBytes,
    onDamaged: (count) => {
      for (let n = 0; n < count; n++) reports.drop(undefined, 'spool-damaged');
    },
    onProblem: (err) => log?.warn({ err, source }, 'cannot tidy the spool; no event is lost'),
  });
}
