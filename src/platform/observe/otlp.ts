import { type Secret, parseHeaders } from '../config/index.js';
import type { Log } from '../log/index.js';
import type { Metrics } from './metrics.js';

/** Spans that may wait to be sent. Further spans are dropped and counted. */
export const MAX_WAITING_SPANS = 4_096;
/** Spans of one request to the collector. */
const MAX_BATCH_SPANS = 512;
const SEND_INTERVAL_MS = 2_000;
/** A slower collector has not received the spans. They are not sent again: traces justify neither memory nor retries. */
const SEND_TIMEOUT_MS = 5_000;
const LOG_AGAIN_MS = 60_000;

export type AttributeValue = string | number | boolean;

export interface EndedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: 'internal' | 'server';
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly failed: boolean;
}

export interface SpanSink {
  add(span: EndedSpan): void;
  /** Sends the waiting spans once. */
  stop(): Promise<void>;
}

export interface OtlpOptions {
  /** URL of the collector, without `/v1/traces`. */
  readonly endpoint: string;
  /** Headers as `name=value`, comma-separated, percent-encoded. */
  readonly headers?: Secret;
  readonly serviceName: string;
  readonly version: string;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Sends OTLP over HTTP in JSON (OpenTelemetry Protocol 1.x). Never throws and never waits: if the collector is away, spans are dropped. */
export function createOtlpSink(options: OtlpOptions): SpanSink {
  const { log } = options;
  const url = `${options.endpoint.replace(/\/$/, '')}/v1/traces`;
  const dropped = options.metrics.counter('rescind_trace_spans_dropped_total', 'Spans that no collector got.');
  let waiting: EndedSpan[] = [];
  let sending: Promise<void> = Promise.resolve();
  let toldAt = -Infinity;

  async function send(spans: readonly EndedSpan[]): Promise<void> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...parseHeaders(options.headers?.reveal()), 'content-type': 'application/json' },
        body: JSON.stringify(exportRequest(options, spans)),
        signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
        redirect: 'error',
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`the collector answered ${response.status}`);
    } catch (err) {
      dropped.inc(spans.length);
      if (performance.now() - toldAt > LOG_AGAIN_MS)
        log.warn({ err }, 'the collector did not take traces; they are dropped');
      toldAt = performance.now();
    }
  }

  function flush(): void {
    const spans = waiting;
    waiting = [];
    for (let from = 0; from < spans.length; from += MAX_BATCH_SPANS) {
      const batch = spans.slice(from, from + MAX_BATCH_SPANS);
      sending = sending.then(() => send(batch));
    }
  }

  const timer = setInterval(flush, SEND_INTERVAL_MS);
  timer.unref();
  return {
    add(span) {
      if (waiting.length >= MAX_WAITING_SPANS) dropped.inc();
      else waiting.push(span);
    },
    async stop() {
      clearInterval(timer);
      flush();
      await sending;
    },
  };
}

const KIND = { internal: 1, server: 2 } as const;
const STATUS_ERROR = 2;

function exportRequest(options: OtlpOptions, spans: readonly EndedSpan[]): unknown {
  const resource = {
    attributes: attributesOf({ 'service.name': options.serviceName, 'service.version': options.version }),
  };
  const encoded = spans.map((span) => ({
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: KIND[span.kind],
    startTimeUnixNano: nanoseconds(span.startMs),
    endTimeUnixNano: nanoseconds(span.endMs),
    attributes: attributesOf(span.attributes),
    status: span.failed ? { code: STATUS_ERROR } : {},
  }));
  return {
    resourceSpans: [
      { resource, scopeSpans: [{ scope: { name: 'rescind', version: options.version }, spans: encoded }] },
    ],
  };
}

/** Formats nanoseconds. 64-bit integers are strings in protobuf's JSON. */
const nanoseconds = (ms: number): string => String(BigInt(Math.round(ms * 1_000)) * 1_000n);

function attributesOf(attributes: Readonly<Record<string, AttributeValue>>): unknown[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: valueOf(value) }));
}

function valueOf(value: AttributeValue): unknown {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
