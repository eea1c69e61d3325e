import type { AddressInfo } from 'node:net';
import type { ServerResponse } from 'node:http';
import type { RescindError } from '../contracts/index.js';
import type { ListenConfig } from './config.js';
import type { Health } from './health.js';
import { createHttpServer } from './http-server.js';
import { createManagement } from './management.js';
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
    framework: (_req, res) => refuse(res, reason()),
    hot: createManagement({ health, metrics, notYet: true }),
    tls: listen.tls,
    // Bodies are not read, and the address is another server's soon.
    isClosing: () => true,
  });

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

function refuse(res: ServerResponse, error: RescindError): void {
  const { status, headers, body } = problemOf(error);
  const text = JSON.stringify(body);
  res.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) }).end(text);
}
