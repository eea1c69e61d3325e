import type { IncomingMessage, ServerResponse } from 'node:http';
import { type OpenSpan, type Tracing, parseTraceparent } from '../observe/index.js';

export interface RequestTracing {
  begin(request: IncomingMessage, route: string | undefined, next: () => void): void;
  /** The body arrives on the socket's events, where the request's place in the trace is lost: what follows it is put back there. */
  resume(request: IncomingMessage, next: () => void): void;
  end(request: IncomingMessage, status: number): void;
  /** A hot path is traced only for a caller that samples its own request. */
  hot(path: string, request: IncomingMessage, response: ServerResponse, run: () => void): void;
}

/** Spans of requests: method, route pattern and status, and nothing that a caller sent. */
export function createRequestTracing(tracing: Tracing): RequestTracing {
  const spans = new WeakMap<IncomingMessage, OpenSpan>();

  function start(request: IncomingMessage, route: string): OpenSpan {
    const method = request.method ?? 'GET';
    return tracing.startRequest(`${method} ${route}`, request.headers['traceparent'], { 'http.request.method': method, 'http.route': route });
  }
  const finish = (span: OpenSpan, status: number): void => span.end({ attributes: { 'http.response.status_code': status }, failed: status >= 500 });

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
