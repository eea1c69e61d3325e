import { DURATION_BUCKETS_S, type Metrics } from '../observe/index.js';

/** Bounds in seconds. There are few, because each route, method and status has a series for each bound. */
const REQUEST_BUCKETS_S: readonly number[] = [0.005, 0.025, 0.1, 0.5, 2.5, 10];

const UNMATCHED = { route: 'unmatched', method: 'any' } as const;

export interface RequestWatch {
  /** `route`: the pattern, never the path, which anybody may choose. Undefined if no route matched. */
  answered(request: { method: string; route: string | undefined; status: number; seconds: number }): void;
  hot(path: string, seconds: number): void;
}

export function watchRequests(metrics: Metrics): RequestWatch {
  const labels = ['route', 'method', 'status'] as const;
  const requests = metrics.histogram(
    'rescind_http_request_seconds',
    'Duration of a request that the framework served.',
    labels,
    REQUEST_BUCKETS_S,
  );
  // Makes the series of failures exist before the first failure. Doing so for every route would print a thousand lines of zeros.
  requests.zero({ ...UNMATCHED, status: '5xx' });
  const hot = metrics.histogram(
    'rescind_hot_request_seconds',
    'Duration of a request of a hot path; one in eight is measured.',
    ['path'],
    DURATION_BUCKETS_S,
  );
  return {
    answered({ method, route, status, seconds }) {
      const known = route === undefined || route === '*' ? UNMATCHED : { route, method };
      requests.observe({ ...known, status: `${Math.trunc(status / 100)}xx` }, seconds);
    },
    hot: (path, seconds) => hot.observe({ path }, seconds),
  };
}
