import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { ListenConfig } from './config.js';

/** Longer than the 60 s after which balancers commonly drop an idle connection, so that they never meet one we just closed. */
export const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** A client that has not sent its headers by then is cut off. */
export const HEADERS_TIMEOUT_MS = 10_000;
/** The same for the whole request. An answer, such as a feed's, may take as long as it likes. */
export const REQUEST_TIMEOUT_MS = 30_000;
const TIMEOUT_CHECK_INTERVAL_MS = 5_000;

/** Answers a request whole, without the framework. MUST end `res`, also for a method it does not serve, and MUST NOT throw. */
export type HotHandler = (req: IncomingMessage, res: ServerResponse) => void;
type Handler = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * A server that gives requests for a hot handler's exact path to it, and all others to the framework. Once `isClosing` says so, every
 * answer closes its connection: a client that keeps asking on a live one would keep the server from ending.
 */
export function createHttpServer(options: {
  framework: Handler;
  hot: ReadonlyMap<string, HotHandler>;
  tls: ListenConfig['tls'];
  isClosing: () => boolean;
}): Server {
  const { framework, hot, isClosing } = options;
  const serve: Handler = (req, res) => {
    if (isClosing()) res.setHeader('connection', 'close');
    const url = req.url ?? '';
    const query = url.indexOf('?');
    const handler = hot.get(query === -1 ? url : url.slice(0, query));
    if (handler === undefined) framework(req, res);
    else handler(req, res);
  };
  const timeouts = {
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
  };
  if (options.tls === undefined) return createServer(timeouts, serve);
  const { certFile, keyFile } = options.tls;
  return createTlsServer({ ...timeouts, cert: readFileSync(certFile), key: readFileSync(keyFile) }, serve);
}
