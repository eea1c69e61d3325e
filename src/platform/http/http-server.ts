import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { RescindError } from '../../contracts/index.js';
import { type ListenConfig, readPem } from '../config/index.js';
import { boundConnections, connectionBounds, type ConnectionBounds } from './connections.js';
import { oneAfterAnother } from './pipelining.js';
import { problemOf } from './problem.js';
import { originForm, repeatedHeader } from './request-target.js';

/**
 * Longer than the 60 s after which balancers commonly drop an idle connection, so that a balancer never uses a connection just closed
 * here.
 */
export const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** A client that has not sent its headers by then is cut off. */
export const HEADERS_TIMEOUT_MS = 10_000;
/** The same limit for the whole request. An answer, such as a feed's, may take as long as it likes. */
export const REQUEST_TIMEOUT_MS = 30_000;
const TIMEOUT_CHECK_INTERVAL_MS = 5_000;
/** A client that has not finished its TLS handshake by then is cut off. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** RFC 6797: a client that has once spoken TLS with this server does not go back to plaintext for half a year. */
const STRICT_TRANSPORT = 'max-age=15552000';
/** One in this many requests of a hot path is timed. A clock reading and a listener for each request would lower its rate. */
export const HOT_SAMPLE = 8;

/** Answers a whole request without the framework. MUST end `res`, even for a method that it does not serve, and MUST NOT throw. */
export type HotHandler = (req: IncomingMessage, res: ServerResponse) => void;
type Handler = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * Creates a server that gives requests for a hot handler's exact path to that handler and all others to the framework. A handler of
 * `/name/*` gets all paths below that name. While `isClosing` returns true, every answer closes its connection: otherwise a client that
 * keeps asking would keep the server from ending.
 */
export function createHttpServer(options: {
  framework: Handler;
  hot: ReadonlyMap<string, HotHandler>;
  tls: ListenConfig['tls'];
  isClosing: () => boolean;
  /** Receives the time from a hot path's request until its answer was handed to the socket, for one in {@link HOT_SAMPLE} requests. */
  onHotSample?: (path: string, seconds: number) => void;
  /** Runs a hot handler whose caller traces its request. */
  traceHot?: (path: string, req: IncomingMessage, res: ServerResponse, run: () => void) => void;
  readonly connections?: ConnectionBounds;
  /** Called for each connection that was closed because there were too many. */
  onTooMany?: () => void;
}): Server {
  const { framework, hot, tls, isClosing, onHotSample, traceHot } = options;
  let hotRequests = 0;
  const serve: Handler = (req, res) => {
    if (isClosing()) res.setHeader('connection', 'close');
    const repeated = repeatedHeader(req);
    if (repeated !== undefined) return refuse(res, `the request has two ${repeated} headers`);
    const url = originForm(req.url ?? '');
    req.url = url;
    const query = url.indexOf('?');
    const exact = query === -1 ? url : url.slice(0, query);
    let path = exact;
    let handler = hot.get(path);
    if (handler === undefined) {
      path = below(exact);
      handler = hot.get(path);
    }
    if (handler === undefined) {
      res.setHeader('x-content-type-options', 'nosniff');
      if (tls !== undefined) res.setHeader('strict-transport-security', STRICT_TRANSPORT);
      framework(req, res);
      return;
    }
    hotRequests = (hotRequests + 1) % HOT_SAMPLE;
    if (hotRequests === 0 && onHotSample !== undefined) {
      const startedAt = performance.now();
      res.once('finish', () => onHotSample(path, (performance.now() - startedAt) / 1000));
    }
    if (traceHot === undefined || req.headers['traceparent'] === undefined) handler(req, res);
    else traceHot(path, req, res, () => handler(req, res));
  };
  const timeouts = {
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
  };
  const unused = new Set<Socket>();
  const serveInOrder = oneAfterAnother(serve);
  // All in one listener: a second listener costs each request more than the work that it would do.
  const serveOn: Handler = (req, res) => {
    unused.delete(req.socket);
    serveInOrder(req, res);
  };
  const server = tls === undefined ? createServer(timeouts, serveOn) : createSecureServer(timeouts, tls, serveOn);
  boundConnections(server, options.connections ?? connectionBounds(false), options.onTooMany);
  return closingUnused(server, tls === undefined ? 'connection' : 'secureConnection', unused);
}

/** Returns `/name/*` for a path below `/name`: metrics must not tell such paths apart. */
function below(path: string): string {
  const end = path.indexOf('/', 1);
  return end === -1 ? path : `${path.slice(0, end)}/*`;
}

/** Refuses at once a request that repeats a header allowed only once: a proxy in front may have read the other value. */
function refuse(res: ServerResponse, detail: string): void {
  const { status, headers, body } = problemOf(new RescindError('invalid-request', { detail }));
  res.writeHead(status, { ...headers, connection: 'close' });
  res.end(JSON.stringify(body));
}

function createSecureServer(
  timeouts: ServerOptions,
  { certFile, keyFile }: NonNullable<ListenConfig['tls']>,
  serve: Handler,
): Server {
  // RFC 9325 section 3.1.1.
  const options = { ...timeouts, handshakeTimeout: HANDSHAKE_TIMEOUT_MS, minVersion: 'TLSv1.2' } as const;
  return createTlsServer({ ...options, cert: readPem('TLS_CERT', certFile), key: readPem('TLS_KEY', keyFile) }, serve);
}

/**
 * Closes connections without a request when the server closes. Node counts such a connection as busy and stops checking its timeouts
 * once the server closes. A client that connects ahead, as `fetch` does after a request that it gave up, would keep the server alive.
 */
function closingUnused(server: Server, event: 'connection' | 'secureConnection', unused: Set<Socket>): Server {
  server.on(event, (socket: Socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  const closeIdleConnections = server.closeIdleConnections.bind(server);
  server.closeIdleConnections = () => {
    closeIdleConnections();
    for (const socket of unused) socket.destroy();
  };
  return server;
}
