import type { AddressInfo } from 'node:net';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RescindError } from '../contracts/index.js';
import type { ListenConfig } from './config.js';
import type { Health } from './health.js';
import { createHttpServer } from './http-server.js';
import type { Metrics } from './metrics.js';
import { problemOf } from './problem.js';

export interface UnreadyServer {
  readonly url: string;
  close(): Promise<void>;
}

export interface UnreadyOptions {
  readonly listen: ListenConfig;
  readonly health: Health;
  readonly metrics: Metrics;
  /** What every request is refused with; retryable, and without a detail, since nobody has said who they are. */
  readonly reason: () => RescindError;
}

/**
 * Stands in for the service on its address while it may not begin: says so under `/health/ready`, and refuses everything else with
 * 503, so that no client takes a missing route for an answer.
 */
export async function listenUnready({ listen, health, metrics, reason }: UnreadyOptions): Promise<UnreadyServer> {
  const server = createHttpServer({
    framework: (req, res) => void answer(req, res).catch(() => res.destroy()),
    hot: new Map(),
    tls: listen.tls,
    // Bodies are not read, and the address is another server's soon.
    isClosing: () => true,
  });

  async function answer({ method, url = '' }: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = url.split('?')[0]!;
    const isRead = method === 'GET' || method === 'HEAD';
    if (isRead && path === '/health/live') return send(res, 200, 'application/json; charset=utf-8', JSON.stringify({ live: true }));
    if (isRead && path === '/health/ready') {
      const report = await health.report();
      return send(res, 503, 'application/json; charset=utf-8', JSON.stringify({ ...report, ready: false }));
    }
    if (isRead && path === '/metrics') return send(res, 200, metrics.contentType, await metrics.text());
    const { status, headers, body } = problemOf(reason());
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    return send(res, status, headers['content-type']!, JSON.stringify(body));
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  return {
    url: `${listen.tls === undefined ? 'http' : 'https'}://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(res: ServerResponse, status: number, contentType: string, text: string): void {
  res.setHeader('content-type', contentType);
  res.setHeader('cache-control', 'no-store');
  res.setHeader('content-length', Buffer.byteLength(text));
  res.writeHead(status).end(text);
}
