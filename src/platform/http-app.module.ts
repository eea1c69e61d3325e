import 'reflect-metadata';
import type { RequestListener } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { LoggerService, ModuleMetadata } from '@nestjs/common';
import { createHttpServer, type HotHandler } from './http-server.js';
import { rememberMediaType } from './json-body.js';
import { ProblemFilter } from './problem.filter.js';
import type { ListenConfig } from './config.js';
import type { Log } from './log.js';

type RootModule = Parameters<typeof NestFactory.create>[0];

/** What requests may carry. Bodies of these media types arrive as the raw Buffer; others are answered 415. */
export interface RawBodies {
  readonly mediaTypes: readonly string[];
  /** A longer body is answered 413 before it is read. */
  readonly limitBytes: number;
}

/** What a management API needs. */
export const JSON_BODIES: RawBodies = { mediaTypes: ['application/json'], limitBytes: 1024 * 1024 };

export interface HttpAppOptions {
  /** `AppModule`, or `AppModule.register(…)`. */
  module: RootModule | (ModuleMetadata & { module: RootModule });
  listen: ListenConfig;
  /** By exact path, such as `/introspect`; asked before the framework. */
  hot?: ReadonlyMap<string, HotHandler>;
  /** Default: {@link JSON_BODIES}. */
  bodies?: RawBodies;
  log: Log;
}

/** The Nest application on Fastify; errors leave as problem+json. It does not listen yet: {@link listenHttp}. */
export async function createHttpApp(options: HttpAppOptions): Promise<NestFastifyApplication> {
  const { listen, log, bodies = JSON_BODIES } = options;
  let closing = false;
  const adapter = new FastifyAdapter({
    // One hop: the proxy itself. Whatever else X-Forwarded-For names, a client may have written.
    trustProxy: listen.trustedProxy ? (_address, hop) => hop === 0 : false,
    forceCloseConnections: 'idle',
    bodyLimit: bodies.limitBytes,
    serverFactory: (framework: RequestListener) =>
      createHttpServer({ framework, hot: options.hot ?? new Map(), tls: listen.tls, isClosing: () => closing }),
  });
  const fastify = adapter.getInstance();
  fastify.addHook('preClose', async () => {
    closing = true;
  });
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

/** Resolves to the URL it listens on. */
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
