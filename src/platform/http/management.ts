import type { ServerResponse } from 'node:http';
import { createPace } from '../bounds/index.js';
import type { Health, Metrics, ReadyRole } from '../observe/index.js';
import { createHttpServer, type HotHandler } from './http-server.js';
import { listenOn, type ListeningServer } from './listen-on.js';

/** The text of `/metrics` is reused for this many times as long as it took to make, so that making it takes at most a tenth of the time. */
const FRESH_FOR_TIMES = 10;
/** Minimum time between two answers on one connection. Callers are not authenticated here, so their rate is bounded. */
export const ANSWER_EVERY_MS = 250;
/** A client is cut off if answering all the requests that it has sent would take longer than this. */
const MAX_BEHIND_MS = 5_000;

const JSON_TYPE = 'application/json; charset=utf-8';

export interface ManagementOptions {
  readonly health: Health;
  readonly metrics: Metrics;
  /** The process may not begin: it reports not ready, whatever the checks say. */
  readonly notYet?: boolean;
}

/** Answers `/health/…` and `/metrics` from memory, by exact path. */
export function createManagement({
  health,
  metrics,
  notYet = false,
}: ManagementOptions): ReadonlyMap<string, HotHandler> {
  const paced = createPace({ everyMs: ANSWER_EVERY_MS, maxBehindMs: MAX_BEHIND_MS });
  let made: Promise<string> | undefined;
  let freshUntil = 0;

  function metricsText(): Promise<string> {
    if (made === undefined || performance.now() > freshUntil) {
      const startedAt = performance.now();
      // Requests that arrive meanwhile get the same answer.
      freshUntil = Infinity;
      made = metrics.text().finally(() => {
        const now = performance.now();
        freshUntil = now + FRESH_FOR_TIMES * (now - startedAt);
      });
    }
    return made;
  }

  const reader = (read: (res: ServerResponse) => void): HotHandler => {
    return (req, res) => {
      if (req.method !== 'GET' && req.method !== 'HEAD')
        return answer(res, 405, JSON_TYPE, '{}', { allow: 'GET, HEAD' });
      paced(req.socket, () => read(res));
    };
  };
  const ready = (role?: ReadyRole): HotHandler =>
    reader((res) => {
      const report = health.report(role);
      const isReady = report.ready && !notYet;
      answer(res, isReady ? 200 : 503, JSON_TYPE, JSON.stringify({ ...report, ready: isReady }));
    });

  return new Map<string, HotHandler>([
    ['/health/live', reader((res) => answer(res, 200, JSON_TYPE, '{"live":true}'))],
    ['/health/ready', ready()],
    ['/health/ready/serve', ready('serve')],
    ['/health/ready/ingest', ready('ingest')],
    [
      '/metrics',
      reader(
        (res) =>
          void metricsText().then(
            (text) => answer(res, 200, metrics.contentType, text),
            () => res.destroy(),
          ),
      ),
    ],
  ]);
}

/** Opens a separate plaintext listener for these paths. Its answers are not secret, and callers are not authenticated. */
export function listenManagement(
  listen: { readonly host: string; readonly port: number },
  hot: ReadonlyMap<string, HotHandler>,
): Promise<ListeningServer> {
  const server = createHttpServer({
    framework: (_req, res) => answer(res, 404, JSON_TYPE, '{}'),
    hot,
    tls: undefined,
    isClosing: () => false,
  });
  return listenOn(server, listen);
}

function answer(
  res: ServerResponse,
  status: number,
  contentType: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  res.writeHead(status, {
    'content-type': contentType,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  res.end(text);
}
