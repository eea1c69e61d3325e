import { AsyncLocalStorage } from 'node:async_hooks';
import type { AttributeValue, EndedSpan, SpanSink } from './otlp.js';
import { isSampled, newSpanId, newTraceId, parseTraceparent, type SpanContext } from './traceparent.js';

export type Attributes = Record<string, AttributeValue>;

export interface OpenSpan {
  readonly context: SpanContext;
  /** Attributes MUST be names, numbers and codes: never a token, a secret, a header, a body or a query. */
  end(outcome?: { attributes?: Attributes; failed?: boolean }): void;
}

export interface Tracing {
  /**
   * Runs `work` in a span below the caller's span, or in the first span of a trace. An error is recorded by its `code`, never by its
   * message.
   */
  span<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T>;
  /**
   * Begins a request's span below its `traceparent`. The caller's decision to sample counts for {@link SAMPLED_BY_CALLERS_A_SECOND}
   * requests a second.
   */
  startRequest(name: string, traceparent: string | readonly string[] | undefined, attributes: Attributes): OpenSpan;
  /** Runs `work` so that its spans stand below `context`. */
  within<T>(context: SpanContext, work: () => T): T;
  stop(): Promise<void>;
}

/**
 * Requests a second whose callers decide that they are traced. Callers are not authenticated here; beyond this number the ratio decides.
 */
export const SAMPLED_BY_CALLERS_A_SECOND = 50;

export function createTracing({ sink, ratio }: { sink: SpanSink; ratio: number }): Tracing {
  const current = new AsyncLocalStorage<SpanContext>();
  let second = 0;
  let sampledByCallers = 0;

  /** Reads a caller's trace context and bounds its wish to be sampled. */
  function bounded(parent: SpanContext | undefined): SpanContext | undefined {
    if (parent?.sampled !== true) return parent;
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) [second, sampledByCallers] = [now, 0];
    sampledByCallers += 1;
    return sampledByCallers <= SAMPLED_BY_CALLERS_A_SECOND
      ? parent
      : { ...parent, sampled: isSampled(parent.traceId, ratio) };
  }

  function open(
    name: string,
    kind: EndedSpan['kind'],
    parent: SpanContext | undefined,
    attributes: Attributes,
  ): OpenSpan {
    const traceId = parent?.traceId ?? newTraceId();
    const context = { traceId, spanId: newSpanId(), sampled: parent?.sampled ?? isSampled(traceId, ratio) };
    const startedAt = performance.now();
    return {
      context,
      end(outcome = {}) {
        if (!context.sampled) return;
        const { traceId: trace, spanId } = context;
        const startMs = performance.timeOrigin + startedAt;
        const endMs = performance.timeOrigin + performance.now();
        const all = { ...attributes, ...outcome.attributes };
        sink.add({
          traceId: trace,
          spanId,
          parentSpanId: parent?.spanId,
          name,
          kind,
          startMs,
          endMs,
          attributes: all,
          failed: outcome.failed === true,
        });
      },
    };
  }

  return {
    async span(name, attributes, work) {
      const span = open(name, 'internal', current.getStore(), attributes);
      try {
        const result = await current.run(span.context, work);
        span.end();
        return result;
      } catch (error) {
        span.end({ failed: true, attributes: { 'error.type': codeOf(error) } });
        throw error;
      }
    },
    startRequest: (name, traceparent, attributes) =>
      open(name, 'server', bounded(parseTraceparent(traceparent)), attributes),
    within: (context, work) => current.run(context, work),
    stop: () => sink.stop(),
  };
}

function codeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  if (typeof code === 'string') return code;
  return typeof name === 'string' ? name : 'unknown';
}
