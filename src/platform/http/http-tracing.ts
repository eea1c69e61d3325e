import type { IncomingMessage, ServerResponse } from 'node:http';
import { type OpenSpan, type Tracing, parseTraceparent } from '../observe/index.js';

export interface RequestTracing {
  begin(request: IncomingMessage, route: string | undefined, next: () => void): void;
  /** Restores the request's place in the trace after its body. The body's events arrive on the socket, where that place is lost. */
  resume(request: IncomingMessage, next: () => void): void;
  end(request: IncomingMessage, status: number): void;
  /** Traces a hot path only if the caller samples its own request. */
  hot(path: string, request: IncomingMessage, response: ServerResponse, run: () => void): void;
}

/** Records spans of requests: method, route pattern and status, and nothing that a caller sent. */
export function createRequestTracing(tracing: Tracing): RequestTracing {
  const spans = new WeakMap<IncomingMessage, OpenSpan>();

  function start(request: IncomingMessage, route: string): OpenSpan {
    const method = request.method ?? 'GET';
    return tracing.startRequest(`${method} ${route}`, request.headers['traceparent'], {
      'http.request.method': method,
      'http.route': route,
    });
  }
  const finish = (span: OpenSpan, status: number): void =>
    span.end({ attributes: { 'http.response.status_code': status }, failed: status >= 500 });

  return {
    begin(request, route, next) {
      const span = start(request, route ?? 'unmatched');
      spans.set(request, span);
      tracing.within(span.context, next);
    },
    resume(request, next) {
      const span = spans.get(request);
      if (span === undefined) next();
      else tracing.within(span.context, next);
    },
    end(request, status) {
      const span = spans.get(request);
      if (span !== undefined) finish(span, status);
    },
    hot(path, request, response, run) {
      if (parseTraceparent(request.headers['traceparent'])?.sampled !== true) {
        run();
        return;
      }
      const span = start(request, path);
      response.once('finish', () => finish(span, response.statusCode));
      tracing.within(span.context, run);
    },
  };
}
