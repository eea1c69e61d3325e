import 'reflect-metadata';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Module, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, describe, expect, it } from '@jest/globals';
import Fastify from 'fastify';
import type { Answer } from './answer.js';
import {
  accessOf,
  createBearerVerifier,
  createMcpTokenVerifier,
  createMiddleware,
  createUsage,
  fastifyGuard,
} from './index.js';
import { RequireScopes, RescindGuard, WithoutToken } from './nest.guard.js';

const API = 'https://api.example';
const ANSWERS: Readonly<Record<string, Answer>> = {
  good: {
    state: 'active',
    claims: { iss: 'https://ras.example', sub: 'u', client_id: 'wiki', aud: API, scope: 'read', exp: 2_000_000_000 },
  },
  endless: { state: 'active', claims: { aud: API, client_id: 'wiki' } },
  nobody: { state: 'active', claims: { aud: API, exp: 2_000_000_000 } },
  away: { state: 'unavailable', retryAfter: 3 },
  revoked: { state: 'inactive', recorded: true },
  bound: { state: 'active', claims: { aud: API, cnf: { jkt: 'k' }, exp: 2_000_000_000, client_id: 'wiki' } },
};
const guard = { check: (token: string): Answer => ANSWERS[token] ?? { state: 'inactive' } };
const verifier = createBearerVerifier({ guard, audience: API });

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

interface Told {
  readonly name: string;
  readonly outcome?: unknown;
  readonly route?: unknown;
  readonly status?: unknown;
  readonly error?: unknown;
}
function recordingUsage() {
  const told: Told[] = [];
  const usage = createUsage({
    report: 'each',
    producer: { emit: (name, data) => String(told.push({ name, ...(data as object) })) },
  });
  return { told, usage };
}

async function ask(
  url: string,
  path: string,
  token?: string,
): Promise<{ status: number; challenge: string | null; retryAfter: string | null; body: unknown }> {
  const response = await fetch(
    url + path,
    token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
  );
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    retryAfter: response.headers.get('retry-after'),
    body: await response.json(),
  };
}

/** The same application in three frameworks: `/read` needs the scope `read`, `/admin` needs `admin`, `/open` needs no token. */
type Start = () => Promise<{ url: string; told: readonly Told[] }>;

const connect: Start = async () => {
  const { told, usage } = recordingUsage();
  const middleware = (scope: string) =>
    createMiddleware({ verifier, scopes: [scope], usage, describe: () => ({ route: `GET /${scope}` }) });
  const [read, admin] = [middleware('read'), middleware('admin')];
  const server: Server = createServer((request, response) => {
    const serve = (): void =>
      void response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ sub: accessOf(request)?.claims.sub ?? null }));
    if (request.url === '/open') serve();
    else (request.url === '/admin' ? admin : read)(request, response, serve);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, told };
};

const fastify: Start = async () => {
  const { told, usage } = recordingUsage();
  const app = Fastify();
  await app.register(fastifyGuard({ verifier, usage }));
  const serve = async (request: object) => ({ sub: accessOf(request)?.claims.sub ?? null });
  app.get('/read', { config: { access: { scopes: ['read'] } } as object }, serve);
  app.get('/admin', { config: { access: { scopes: ['admin'] } } as object }, serve);
  app.get('/open', { config: { access: false } as object }, serve);
  app.get('/plain', serve);
  stops.push(() => app.close());
  return { url: await app.listen({ port: 0, host: '127.0.0.1' }), told };
};

@Controller()
class ThingsController {
  @Get('read')
  @RequireScopes('read')
  read(@Req() request: object): object {
    return { sub: accessOf(request)?.claims.sub ?? null };
  }

  @Get('admin')
  @RequireScopes('admin')
  admin(): object {
    return {};
  }

  @Get('open')
  @WithoutToken()
  open(): object {
    return { sub: null };
  }

  @Get('plain')
  plain(): object {
    return {};
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {
  readonly name = 'things';
}

const nest: Start = async () => {
  const { told, usage } = recordingUsage();
  const app = await NestFactory.create<NestFastifyApplication>(ThingsModule, new FastifyAdapter(), { logger: false });
  app.useGlobalGuards(new RescindGuard({ verifier, usage }));
  await app.listen(0, '127.0.0.1');
  stops.push(() => app.close());
  return { url: `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`, told };
};

describe.each<[string, Start]>([
  ['Connect and Express', connect],
  ['Fastify', fastify],
  ['Nest', nest],
])('the adapter for %s', (_, start) => {
  it('lets through, refuses and challenges as the verifier says', async () => {
    const { url } = await start();
    expect(await ask(url, '/read', 'good')).toMatchObject({ status: 200, body: { sub: 'u' } });
    expect(await ask(url, '/read')).toMatchObject({
      status: 401,
      challenge: 'Bearer scope="read"',
      body: { error: 'unauthorized' },
    });
    expect(await ask(url, '/read', 'bad')).toMatchObject({
      status: 401,
      challenge: 'Bearer error="invalid_token", error_description="the token is not active"',
      body: { error: 'invalid_token' },
    });
    expect(await ask(url, '/admin', 'good')).toMatchObject({
      status: 403,
      challenge: expect.stringContaining('scope="admin", error="insufficient_scope"'),
    });
    expect(await ask(url, '/read', 'away')).toMatchObject({ status: 503, challenge: null, retryAfter: '3' });
    expect(await ask(url, '/read', 'a"b')).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect(await ask(url, '/open')).toMatchObject({ status: 200, body: { sub: null } });
  });

  it('tells what became of each call that came with a token', async () => {
    const { url, told } = await start();
    await ask(url, '/read');
    await ask(url, '/read', 'good');
    await ask(url, '/admin', 'good');
    await ask(url, '/read', 'revoked');
    while (told.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(told.map(({ name, status }) => [name, status])).toEqual([
      ['access.allowed', 200],
      ['access.denied', 403],
      ['access.denied', 401],
    ]);
    expect(told.map(({ error }) => error)).toEqual([undefined, 'insufficient_scope', 'invalid_token']);
    for (const one of told) expect(one).toMatchObject({ operation: 'read', client_address: '127.0.0.1' });
    // Anybody can make up a token: refusals of tokens that nobody recorded must not reach the ledger.
    await ask(url, '/read', 'bad');
    await ask(url, '/read', 'good');
    while (told.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(told.map(({ name }) => name)).toEqual([
      'access.allowed',
      'access.denied',
      'access.denied',
      'access.allowed',
    ]);
    expect(told.every(({ route }) => typeof route === 'string' && !route.includes('?'))).toBe(true);
  });
});

describe.each<[string, Start]>([
  ['Fastify', fastify],
  ['Nest', nest],
])('%s', (_, start) => {
  it('a route that says nothing wants a token', async () => {
    const { url } = await start();
    expect((await ask(url, '/plain')).status).toBe(401);
    expect((await ask(url, '/plain', 'good')).status).toBe(200);
  });
});

describe('Fastify', () => {
  it('tells the operation and the route that a route states', async () => {
    const { told, usage } = recordingUsage();
    const app = Fastify();
    await app.register(fastifyGuard({ verifier, usage }));
    app.get(
      '/things/:id',
      { config: { access: { operation: 'things.read', route: 'GET /things/{id}' } } as object },
      async () => ({}),
    );
    app.get('/others/:id', async () => ({}));
    stops.push(() => app.close());
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    for (const path of ['/things/7', '/others/7']) await ask(url, path, 'good');
    while (told.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(told).toEqual([
      expect.objectContaining({ operation: 'things.read', route: 'GET /things/{id}' }),
      expect.objectContaining({ operation: 'read', route: 'GET /others/:id' }),
    ]);
  });
});

describe('the middleware in Express', () => {
  it.each<[string, object, string | undefined]>([
    ['a route', { route: { path: '/things/:id' } }, 'GET /things/:id'],
    ['a route of a router that is mounted', { baseUrl: '/v1', route: { path: '/things/:id' } }, 'GET /v1/things/:id'],
    ['a route by a pattern', { route: { path: /things/ } }, undefined],
    ['no route', {}, undefined],
  ])('tells a call by %s', async (_, express, route) => {
    const { told, usage } = recordingUsage();
    const middleware = createMiddleware({ verifier, usage });
    const server = createServer((request, response) =>
      middleware(request, response, () => (Object.assign(request, express), response.end('{}'))),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stops.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
    await ask(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, '/things/7', 'good');
    while (told.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    expect([told[0]!.name, told[0]!.route]).toEqual(['access.allowed', route]);
  });
});

describe('the verifier for MCP servers', () => {
  class InvalidTokenError extends Error {}
  class ServerError extends Error {}
  const sut = createMcpTokenVerifier({ verifier, resource: API, errors: { InvalidTokenError, ServerError } });

  it("answers with the SDK's AuthInfo", async () => {
    expect(await sut.verifyAccessToken('good')).toEqual({
      token: 'good',
      clientId: 'wiki',
      scopes: ['read'],
      expiresAt: 2_000_000_000,
      resource: new URL(API),
      extra: { iss: 'https://ras.example', sub: 'u', aud: API },
    });
  });

  it.each<[string, string, new () => Error]>([
    ['without an end', 'endless', InvalidTokenError],
    ['of no client', 'nobody', InvalidTokenError],
    ['not active', 'bad', InvalidTokenError],
    ['malformed', 'a"b', InvalidTokenError],
    ['bound to a key that nobody can prove here', 'bound', InvalidTokenError],
    ['not to be told', 'away', ServerError],
  ])("a token that is %s is the SDK's own error", async (_, token, error) => {
    await expect(sut.verifyAccessToken(token)).rejects.toBeInstanceOf(error);
  });
});
