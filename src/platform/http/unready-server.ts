import type { ServerResponse } from 'node:http';
import type { RescindError } from '../../contracts/index.js';
import type { ListenConfig } from '../config/index.js';
import type { Health, Metrics } from '../observe/index.js';
import { createHttpServer } from './http-server.js';
import { listenOn, type ListeningServer } from './listen-on.js';
import { createManagement } from './management.js';
import { problemOf } from './problem.js';

export interface UnreadyOptions {
  readonly listen: ListenConfig;
  readonly health: Health;
  readonly metrics: Metrics;
  /** The error that every request is refused with. It is retryable and has no detail, because callers are not authenticated. */
  readonly reason: () => RescindError;
}

/**
 * Listens on the service's address while the service may not begin. `/health/ready` says so, and every other request gets 503, so that
 * no client takes a missing route for an answer.
 */
export async function listenUnready({ listen, health, metrics, reason }: UnreadyOptions): Promise<ListeningServer> {
  const server = createHttpServer({
    framework: (_req, res) => refuse(res, reason()),
    hot: createManagement({ health, metrics, notYet: true }),
    tls: listen.tls,
    // Bodies are not read, and the service itself takes over the address soon.
    isClosing: () => true,
  });

  return listenOn(server, listen);
}

function refuse(res: ServerResponse, error: RescindError): void {
  const { status, headers, body } = problemOf(error);
  const text = JSON.stringify(body);
  res.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) }).end(text);
}
