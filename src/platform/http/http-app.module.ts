import 'reflect-metadata';
import { STATUS_CODES, type RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { LoggerService, ModuleMetadata } from '@nestjs/common';
import { RescindError } from '../../contracts/index.js';
import { connectionBounds } from './connections.js';
import { createHttpServer, type HotHandler } from './http-server.js';
import { watchRequests } from './http-metrics.js';
import { createRequestTracing } from './http-tracing.js';
import { rememberMediaType } from './body/json-body.js';
import { createKnownPaths } from './known-paths.js';
import { createPace } from '../bounds/index.js';
import type { ListenConfig } from '../config/index.js';
import type { Log } from '../log/index.js';
import type { Metrics, Tracing } from '../observe/index.js';
import { ProblemFilter } from './problem.filter.js';
import { errorOfStatus, problemOf, RETRY_AFTER_S, statusOfKind } from './problem.js';
import type { Arriving, RequestGate } from './request-gate.js';

type RootModule = Parameters<typeof NestFactory.create>[0];

/** Bodies that requests may carry. Bodies of these media types arrive as raw Buffers; other types are answered 415. */
export interface RawBodies {
  readonly mediaTypes: readonly (string | RegExp)[];
  /** A longer body is answered 413 before it is read. */
  readonly limitBytes: number;
}

/** A client is cut off if refusing all the requests that it sent on one connection would take longer than this. */
const MAX_BEHIND_MS = 30_000;

/** Characters of a path parameter: an identifier of 512 bytes, each of them escaped. The framework's own limit is 100. */
const MAX_PARAM_LENGTH = 3 * 512;

/** How often a server that is closing looks for connections that have become idle. */
const IDLE_SWEEP_MS = 100;

/** Bodies that a management API takes. */
export const JSON_BODIES: RawBodies = { mediaTypes: ['application/json'], limitBytes: 1024 * 1024 };

export interface HttpAppOptions {
  /** `AppModule`, or `AppModule.register(…)`. */
  module: RootModule | (ModuleMetadata & { module: RootModule });
  listen: ListenConfig;
  /** Handlers by exact path, such as `/introspect`. They are asked before the framework. */
  hot?: ReadonlyMap<string, HotHandler>;
  /** Default: {@link JSON_BODIES}. */
  bodies?: RawBodies;
  log: Log;
  metrics?: Metrics;
  tracing?: Tracing;
  gate?: RequestGate;
}

/** Creates the Nest application on Fastify. Errors leave as problem+json. The application does not listen yet: see {@link listenHttp}. */
export async function createHttpApp(options: HttpAppOptions): Promise<NestFastifyApplication> {
  const { listen, log, bodies = JSON_BODIES } = options;
  let closing = false;
  const watch = options.metrics && watchRequests(options.metrics);
  const tooMany = options.metrics?.counter(
    'rescind_http_connections_refused_total',
    'Connections closed at once since there were too many.',
  );
  const trace = options.tracing && createRequestTracing(options.tracing);
  const adapter = new FastifyAdapter({
    // One hop: the proxy itself. A client may have written everything else in X-Forwarded-For.
    trustProxy: listen.trustedProxy ? (_address, hop) => hop === 0 : false,
    forceCloseConnections: 'idle',
    bodyLimit: bodies.limitBytes,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    // A URL that cannot be decoded reaches neither a route nor Nest's filters.
    frameworkErrors: (error: FastifyError, _request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(reply, errorOfStatus(error.statusCode ?? 400, error));
    },
    clientErrorHandler: answerClientError,
    serverFactory: (framework: RequestListener) =>
      createHttpServer({
        framework,
        hot: options.hot ?? new Map(),
        tls: listen.tls,
        isClosing: () => closing,
        onHotSample: watch?.hot,
        traceHot: trace?.hot,
        connections: connectionBounds(listen.trustedProxy),
        onTooMany: () => tooMany?.inc(),
      }),
  });
  const fastify = adapter.getInstance();
  fastify.addHook('preClose', async () => {
    closing = true;
    // A connection that is answering becomes idle later, and the server would wait for it as long as its client keeps it open.
    const sweep = setInterval(() => fastify.server.closeIdleConnections(), IDLE_SWEEP_MS);
    fastify.server.once('close', () => clearInterval(sweep));
  });
  if (watch !== undefined) {
    fastify.addHook('onResponse', async ({ method, routeOptions }, reply) => {
      watch.answered({ method, route: routeOptions.url, status: reply.statusCode, seconds: reply.elapsedTime / 1000 });
    });
  }
  if (trace !== undefined) {
    fastify.addHook('onRequest', ({ raw, routeOptions }, _reply, next) => trace.begin(raw, routeOptions.url, next));
    fastify.addHook('preValidation', ({ raw }, _reply, next) => trace.resume(raw, next));
    fastify.addHook('onResponse', async ({ raw }, reply) => trace.end(raw, reply.statusCode));
  }
  standBeforeBodies(fastify, options.gate);
  fastify.removeAllContentTypeParsers();
  const app = await NestFactory.create<NestFastifyApplication>(options.module, adapter, {
    bodyParser: false,
    abortOnError: false,
    logger: nestLogger(log),
  });
  for (const mediaType of bodies.mediaTypes) {
    app.useBodyParser(mediaType, { bodyLimit: bodies.limitBytes }, (request, body, done) => {
      rememberMediaType(body, request.headers['content-type']);
      done(null, body);
    });
  }
  app.useGlobalFilters(new ProblemFilter(log));
  return app;
}

/**
 * Refuses requests that need no body to be refused before their body is read, and delays clients that repeat requests refused for their
 * number.
 */
function standBeforeBodies(fastify: FastifyInstance, gate: RequestGate | undefined): void {
  const knownPaths = createKnownPaths();
  fastify.addHook('onRoute', ({ url, method }) => knownPaths.add(url, method));
  const pace = createPace({ everyMs: RETRY_AFTER_S * 1000, maxBehindMs: MAX_BEHIND_MS });
  fastify.addHook('onRequest', async ({ raw, ip, is404, routeOptions }, reply) => {
    if (is404 || knownPaths.refuses(raw.method ?? '', raw.url ?? '')) {
      const allow = knownPaths.methodsOf(raw.url ?? '');
      return refuse(
        reply,
        allow.length === 0
          ? new RescindError('not-found')
          : new RescindError('method-not-allowed', { extensions: { allow } }),
      );
    }
    if (gate === undefined || !gate.guards(routeOptions.url ?? '')) return undefined;
    const { asks } = routeOptions.config as { asks?: Arriving['asks'] };
    try {
      await gate.enter({ raw, ip, asks }, reply.raw);
    } catch (error) {
      if (!(error instanceof RescindError)) throw error;
      return refuse(reply, error);
    }
    return undefined;
  });
  // After the body: its events arrive on the socket, where the request's context is lost.
  if (gate) fastify.addHook('preValidation', ({ raw }, _reply, next) => gate.within(raw, next));
  fastify.addHook('onSend', ({ raw }, { statusCode }, payload, done) => {
    gate?.answered(raw);
    if (statusCode !== statusOfKind('overloaded')) return done(null, payload);
    // If the client has left meanwhile, there is nothing to send.
    return pace(raw.socket, () => (raw.socket.destroyed ? undefined : done(null, payload)));
  });
}

/** Sends a refusal. Never resolves: no hook and no handler may follow, even if the client leaves before the refusal is sent. */
function refuse(reply: FastifyReply, error: RescindError): Promise<never> {
  sendProblem(reply, error);
  return new Promise<never>(() => undefined);
}

function sendProblem(reply: FastifyReply, error: RescindError): void {
  const { status, headers, body } = problemOf(error);
  // Sent as bytes: the framework would add a charset to the type of a string, and JSON has none (RFC 8259 section 11).
  void reply
    .status(status)
    .headers(headers)
    .send(Buffer.from(JSON.stringify(body)));
}

/** Answers a request that is not HTTP, or whose headers are too large or too slow. There is no reply object, only the socket. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = problemOf(
    errorOfStatus(error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400, error),
  );
  const text = JSON.stringify(body);
  const lines = Object.entries({
    ...headers,
    'content-length': String(Buffer.byteLength(text)),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n${text}`);
}

/** Listens. Resolves to the URL. */
export async function listenHttp(app: NestFastifyApplication, listen: ListenConfig): Promise<string> {
  await app.listen(listen.port, listen.host);
  const address = app.getHttpServer().address();
  const port = typeof address === 'object' && address !== null ? address.port : listen.port;
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  return `${listen.tls === undefined ? 'http' : 'https'}://${host}:${port}`;
}

function nestLogger(log: Log): LoggerService {
  const nest = log.child({ from: 'nest' });
  return {
    log: (message: unknown) => nest.debug(String(message)),
    debug: (message: unknown) => nest.debug(String(message)),
    verbose: (message: unknown) => nest.trace(String(message)),
    warn: (message: unknown) => nest.warn(String(message)),
    error: (message: unknown, ...more: unknown[]) => nest.error({ more }, String(message)),
    fatal: (message: unknown) => nest.fatal(String(message)),
  };
}
