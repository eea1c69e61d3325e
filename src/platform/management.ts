import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Health, ReadyRole } from './health.js';
import type { HotHandler } from './http-server.js';
import type { Metrics } from './metrics.js';

/** A text of `/metrics` is given to everybody who asks within this time: making it costs milliseconds. */
const METRICS_FRESH_MS = 1_000;
/** One connection gets an answer at most this often. Nobody has to say who they are here, so that nobody may ask without end. */
export const ANSWER_EVERY_MS = 100;
/** A client that has sent more requests than it can be answered in this time is cut off. */
const MAX_BEHIND_MS = 5_000;

const JSON_TYPE = 'application/json; charset=utf-8';

export interface ManagementOptions {
  readonly health: Health;
  readonly metrics: Metrics;
  /** The process may not begin: it is not ready, whatever the checks say. */
  readonly notYet?: boolean;
}

/** Answers `/health/…` and `/metrics` from memory, by exact path. */
export function createManagement({ health, metrics, notYet = false }: ManagementOptions): ReadonlyMap<string, HotHandler> {
  const paced = createPace();
  let made: { readonly text: Promise<string>; readonly at: number } | undefined;

  function metricsText(): Promise<string> {
    if (made === undefined || performance.now() - made.at > METRICS_FRESH_MS) {
      const text = metrics.text();
      made = { text, at: performance.now() };
      text.catch(() => (made = undefined));
    }
    return made.text;
  }

  const reader = (read: (res: ServerResponse) => void): HotHandler => {
    return (req, res) => {
      if (req.method !== 'GET' && req.method !== 'HEAD') return answer(res, 405, JSON_TYPE, '{}', { allow: 'GET, HEAD' });
      paced(req, () => read(res));
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
    ['/metrics', reader((res) => void metricsText().then((text) => answer(res, 200, metrics.contentType, text), () => res.destroy()))],
  ]);
}

/** Answers each connection at most once in {@link ANSWER_EVERY_MS}: later answers wait. */
function createPace(): (req: IncomingMessage, answerNow: () => void) => void {
  const nextAt = new WeakMap<Socket, number>();
  return ({ socket }, answerNow) => {
    const now = performance.now();
    const at = Math.max(now, nextAt.get(socket) ?? 0);
    if (at - now > MAX_BEHIND_MS) return void socket.destroy();
    nextAt.set(socket, at + ANSWER_EVERY_MS);
    if (at === now) answerNow();
    else setTimeout(answerNow, at - now);
  };
}

function answer(res: ServerResponse, status: number, contentType: string, text: string, headers: Readonly<Record<string, string>> = {}): void {
  res.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store', 'content-length': Buffer.byteLength(text), ...headers });
  res.end(text);
}
