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
  /** What every request is refused with; retryable, and without a detail, since nobody has said who they are. */
  readonly reason: () => RescindError;
}

/**
 * Stands in for the service on its address while it may not begin: says so under `/health/ready`, and refuses everything else with
 * 503, so that no client takes a missing route for an answer.
 */
export async function listenUnready({ listen, health, metrics, reason }: UnreadyOptions): Promise<ListeningServer> {
  const server = createHttpServer({
    framework: (_req, res) => refuse(res, reason()),
    hot: createManagement({ health, metrics, notYet: true }),
    tls: listen.tls,
    // Bodies are not read, and the address is another server's soon.
    isClosing: () => true,
  });

  return listenOn(server, listen);
}

function refuse(res: ServerResponse, error: RescindError): void {
  const { status, headers, body } = problemOf(error);
  const text = JSON.stringify(body);
  res.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) }).end(text);
}
