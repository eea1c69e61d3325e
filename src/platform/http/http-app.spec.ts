import { Agent, request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Patch, Post, Req } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { RescindError } from '../../contracts/index.js';
import { HEADERS_TIMEOUT_MS, HOT_SAMPLE, type HotHandler } from './http-server.js';
import type { ListenConfig } from '../config/index.js';
import { createLog } from '../log/index.js';
import { type Metrics, createMetrics } from '../observe/index.js';
import { createHttpApp, jsonBody, listenHttp, type RequestGate } from './index.js';
import { MAX_WAITING } from './pipelining.js';

const BODIES = {
  mediaTypes: [
    'application/json',
    'application/cloudevents+json',
    'application/cloudevents-batch+json',
    'application/x-ndjson',
    'application/x-www-form-urlencoded',
  ],
  limitBytes: 4 * 1024 * 1024 + 64 * 1024,
};

@Controller()
class SampleController {
  @Post('v1/things')
  thing(@Body(jsonBody) body: unknown): unknown {
    return { received: body ?? null };
  }

  @Post('v1/things/all')
  all(): unknown {
    return {};
  }

  @Patch('v1/things/:id')
  change(): unknown {
    return {};
  }

  @Post('events')
  events(@Body() body: unknown): unknown {
    return Buffer.isBuffer(body) ? { bytes: body.toString('latin1') } : { other: typeof body };
  }

  @Get('refused')
  refused(): never {
    throw new RescindError('selector-too-wide', { detail: 'name an issuer', extensions: { issuers: 2 } });
  }

  @Get('broken')
  broken(): never {
    throw new Error('password=hunter2 at db.internal');
  }

  @Get('unreachable')
  unreachable(): never {
    throw Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' });
  }

  @Get('address')
  address(@Req() request: FastifyRequest): unknown {
    return { ip: request.ip };
  }
}

@Module({ controllers: [SampleController] })
class SampleModule {
  readonly name = 'sample';
}

const LOOPBACK: ListenConfig = { host: '127.0.0.1', port: 0, trustedProxy: false };

describe('a gate before the routes', () => {
  const gate: RequestGate = {
    guards: (route) => route.startsWith('/v1/'),
    async enter({ raw }) {
      if (raw.headers.authorization === undefined) throw new RescindError('unauthenticated');
      if (raw.headers.authorization === 'too much') throw new RescindError('too-many-requests');
    },
    within: (_raw, next) => next(),
    answered: () => undefined,
  };
  let app: NestFastifyApplication;
  let port: number;
  beforeEach(async () => {
    app = await createHttpApp({
      module: SampleModule,
      listen: LOOPBACK,
      bodies: BODIES,
      gate,
      log: createLog({ level: 'silent' }),
    });
    port = Number(new URL(await listenHttp(app, LOOPBACK)).port);
  });
  afterEach(() => app.close());

  const send = (lines: readonly string[]) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    return socket;
  };
  const WITH_BODY = ['Host: x', 'Content-Type: application/json', 'Content-Length: 4000000'];

  it.each([
    ['/v1/things', 401],
    ['/%76%31/things', 401],
    ['/nowhere', 404],
  ])('answers POST %s with %i before its body comes', async (path, status) => {
    const socket = send([`POST ${path} HTTP/1.1`, ...WITH_BODY]);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(`HTTP/1.1 ${status} `);
    socket.destroy();
  });

  it('lets those through whom it does not refuse, and other routes', async () => {
    const headers = { authorization: 'good', 'content-type': 'application/json' };
    expect(
      await (await fetch(`http://127.0.0.1:${port}/v1/things`, { method: 'POST', headers, body: '{"a":1}' })).json(),
    ).toEqual({ received: { a: 1 } });
    expect((await fetch(`http://127.0.0.1:${port}/address`)).status).toBe(200);
  });

  it('lets a client that repeats at once what was too much wait as long as it was told to', async () => {
    const asked = ['POST /v1/things HTTP/1.1', 'Host: x', 'Authorization: too much', 'Content-Length: 0'];
    const impatient = send(asked);
    const [first] = (await once(impatient, 'data')) as [Buffer];
    expect(first.toString()).toMatch(/^HTTP\/1.1 429 /);
    const startedAt = performance.now();
    impatient.write(`${asked.join('\r\n')}\r\n\r\n`);
    await once(impatient, 'data');
    // 900: less than a second, because timers are inexact.
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    impatient.destroy();
  });

  it('goes on when clients leave before their refusals are sent', async () => {
    const asked = `${['POST /v1/things HTTP/1.1', 'Host: x', 'Authorization: too much', 'Content-Length: 0'].join('\r\n')}\r\n\r\n`;
    const socket = connect(port, '127.0.0.1');
    socket.write(asked + asked);
    await once(socket, 'data');
    socket.destroy();
    const impatient = connect(port, '127.0.0.1');
    impatient.write(asked + asked);
    // The second answer comes after the time at which the answer that the first client did not wait for was due.
    await once(impatient, 'data');
    await once(impatient, 'data');
    impatient.destroy();
    expect((await fetch(`http://127.0.0.1:${port}/address`)).status).toBe(200);
  });
});

describe('the HTTP application', () => {
  let app: NestFastifyApplication;
  let url: string;
  let logged: string[];
  let metrics: Metrics;
  let hotAsked: number;
  let slowAsked: () => void;
  let answerSlow: () => void;

  async function start(listen: ListenConfig): Promise<void> {
    logged = [];
    hotAsked = 0;
    metrics = createMetrics();
    const log = createLog({ level: 'warn', destination: { write: (line) => logged.push(line) } });
    app = await createHttpApp({
      module: SampleModule,
      listen,
      hot: new Map<string, HotHandler>([
        [
          '/hot',
          (req, res) => {
            hotAsked += 1;
            res.end(`hot ${req.method}`);
          },
        ],
        ['/below/*', (req, res) => void res.end(`below ${req.method} ${req.url}`)],
        [
          '/slow',
          (_req, res) => {
            answerSlow = () => void res.end('slow');
            slowAsked();
          },
        ],
      ]),
      bodies: BODIES,
      log,
      metrics,
    });
    url = await listenHttp(app, listen);
  }

  beforeEach(() => start(LOOPBACK));
  afterEach(() => app.close());

  const post = (path: string, type: string, body: string | Uint8Array): Promise<Response> =>
    fetch(url + path, { method: 'POST', headers: { 'content-type': type }, body });

  it.each([
    'application/cloudevents+json',
    'application/cloudevents-batch+json; charset=utf-8',
    'application/x-ndjson',
    'application/json',
    'application/x-www-form-urlencoded',
  ])('hands the raw bytes of %s to the handler', async (type) => {
    const response = await post('/events', type, Buffer.from([0x7b, 0xff, 0x00, 0x7d]));
    expect(await response.json()).toEqual({ bytes: '{\u00ff\u0000}' });
  });

  it.each(['text/plain', 'application/xml', 'multipart/form-data; boundary=x'])('answers 415 to %s', async (type) => {
    const response = await post('/events', type, 'x');
    expect(response.status).toBe(415);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ code: 'unsupported-media-type', status: 415 });
  });

  it('takes a batch of the largest size and refuses one beyond the limit', async () => {
    const largest = await post('/events', 'application/json', Buffer.alloc(4 * 1024 * 1024, 0x20));
    expect(largest.status).toBe(201);
    await largest.arrayBuffer();
    const beyond = await post('/events', 'application/json', Buffer.alloc(4 * 1024 * 1024 + 65 * 1024, 0x20));
    expect(beyond.status).toBe(413);
    expect(await beyond.json()).toMatchObject({ code: 'too-large' });
  });

  it('parses a JSON body and leaves a missing one undefined', async () => {
    expect(await (await post('/v1/things', 'application/json', '{"a":[1]}')).json()).toEqual({ received: { a: [1] } });
    expect(await (await fetch(`${url}/v1/things`, { method: 'POST' })).json()).toEqual({ received: null });
    expect(await (await post('/v1/things', 'application/json', '')).json()).toEqual({ received: null });
  });

  it.each([
    ['malformed-json', 400, 'application/json', '{"a":'],
    ['invalid-request', 400, 'application/json', ' null '],
    ['duplicate-key', 400, 'application/json', '{"a":1,"\\u0061":2}'],
    ['invalid-utf8', 400, 'application/json', Buffer.from([0x22, 0xff, 0x22])],
    ['unsupported-media-type', 415, 'application/x-www-form-urlencoded', 'a=1'],
    ['too-large', 413, 'application/json', `"${'x'.repeat(300 * 1024)}"`],
  ])('answers %s with %i', async (code, status, type, body) => {
    const response = await post('/v1/things', type, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ type: `https://rescind.dev/problems/${code}`, code, status });
  });

  it('answers an error thrown on purpose as a problem, with its detail and extensions', async () => {
    const response = await fetch(`${url}/refused`);
    expect(response.status).toBe(403);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toEqual({
      type: 'https://rescind.dev/problems/selector-too-wide',
      title: expect.any(String),
      status: 403,
      code: 'selector-too-wide',
      detail: 'name an issuer',
      issuers: 2,
    });
  });

  it('hides the cause of any other error from the caller and masks it in the log', async () => {
    const response = await fetch(`${url}/broken`);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toMatch(/hunter2|db\.internal/);
    expect(logged.join('')).toMatch('db.internal');
    expect(logged.join('')).not.toMatch('hunter2');
  });

  it('answers 503 with Retry-After when the database is away', async () => {
    const response = await fetch(`${url}/unreachable`);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ code: 'database-unavailable' });
  });

  it('answers 404 to an unknown path as a problem', async () => {
    const response = await fetch(`${url}/nowhere`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'not-found' });
  });

  it.each([
    ['GET', '/events', 'POST'],
    ['POST', '/refused?x=1', 'GET, HEAD'],
    ['QUERY', '/v1/things', 'POST'],
    ['DELETE', '/v1/things/one', 'PATCH'],
    ['PATCH', '/v1/things/all', 'POST'],
  ])('answers 405 to %s %s, and names the methods of the path', async (method, path, allow) => {
    const response = await fetch(url + path, { method });
    expect([response.status, response.headers.get('allow'), response.headers.get('content-type')]).toEqual([
      405,
      allow,
      'application/problem+json',
    ]);
    expect(await response.json()).toMatchObject({ code: 'method-not-allowed' });
  });

  it.each(['/v1/things/one/two', '/v1/things/'])('answers 404 to %s, which is no path of a route', async (path) => {
    expect((await fetch(url + path)).status).toBe(404);
  });

  async function exchange(...lines: readonly string[]): Promise<string> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write([...lines, 'Connection: close', '', ''].join('\r\n'));
    return text(socket);
  }

  it.each([
    ['http://rescind.example/address', '200 OK'],
    ['HTTPS://rescind.example:8443/hot?x=1', '200 OK'],
    ['http://rescind.example', '404 Not Found'],
    ['http://rescind.example?x=1', '404 Not Found'],
    ['*', '404 Not Found'],
  ])('takes the target %s', async (target, status) => {
    expect(await exchange(`GET ${target} HTTP/1.1`, 'Host: another.example')).toMatch(`HTTP/1.1 ${status}\r\n`);
  });

  it.each([
    ['/address', 'Host: x', 'hOST: x'],
    ['/hot', 'Host: x', 'Host: y'],
    ['/hot', 'Host: x', 'Authorization: Bearer one', 'authorization: Bearer two'],
  ])('refuses a request to %s with %j, %j', async (path, ...headers) => {
    const answer = await exchange(`GET ${path} HTTP/1.1`, ...headers);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n(?:.*\r\n)*?content-type: application\/problem\+json\r\n/);
    expect(hotAsked).toBe(0);
  });

  it.each(['/v1/%', '/v1/%c0%af', '/%ff?x=1'])('answers a problem to %s, which cannot be decoded', async (path) => {
    const response = await fetch(url + path);
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ code: 'invalid-request', status: 400 });
  });

  it.each([
    ['what is no request', 'NONSENSE\r\n\r\n'],
    ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`],
  ])('answers a problem to %s', async (_what, bytes) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(bytes);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n(?:.*\r\n)*?content-type: application\/problem\+json\r\n/);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ code: 'invalid-request' });
  });

  it(
    'tells who sends too slowly to send it again: a server that stood still cannot tell its own slowness from theirs',
    async () => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.write('GET /address HTTP/1.1\r\nHost: x\r\n');
      const answer = await text(socket);
      expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n(?:.*\r\n)*?retry-after: 1\r\n/);
      expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ code: 'request-timeout' });
    },
    3 * HEADERS_TIMEOUT_MS,
  );

  it('counts requests by route pattern, never by path, and samples hot ones', async () => {
    const ask = (path: string): Promise<unknown> => fetch(url + path).then((response) => response.text());
    await Promise.all(['/address', '/refused', '/nowhere/1', '/nowhere/2'].map(ask));
    for (let i = 0; i < HOT_SAMPLE; i += 1) await ask('/hot');
    for (let i = 0; i < HOT_SAMPLE; i += 1) await ask(`/below/nowhere/${i}`);
    const counted = await metrics.text();
    expect(counted).toContain('rescind_http_request_seconds_count{route="/address",method="GET",status="2xx"} 1');
    expect(counted).toContain('rescind_http_request_seconds_count{route="/refused",method="GET",status="4xx"} 1');
    expect(counted).toContain('rescind_http_request_seconds_count{route="unmatched",method="any",status="4xx"} 2');
    expect(counted).toContain('rescind_hot_request_seconds_count{path="/hot"} 1');
    expect(counted).toContain('rescind_hot_request_seconds_count{path="/below/*"} 1');
    expect(counted).not.toContain('nowhere');
  });

  it('gives a hot path to its handler, by the exact path and whatever the query', async () => {
    expect(await (await fetch(`${url}/hot?x=1`)).text()).toBe('hot GET');
    expect((await fetch(`${url}/hot/`)).status).toBe(404);
    expect(await (await fetch(`${url}/below/one/two?x=1`)).text()).toBe('below GET /below/one/two?x=1');
    expect((await fetch(`${url}/below`)).status).toBe(404);
  });

  it('serves the next request of a connection when the one before has been answered', async () => {
    const asked = new Promise<void>((resolve) => {
      slowAsked = resolve;
    });
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
    socket.write(get('/slow') + get('/hot') + get('/address') + get('/hot', 'Connection: close\r\n'));
    await asked;
    // After one more exchange, the server has read the request behind the slow question.
    await fetch(`${url}/address`);
    expect(hotAsked).toBe(0);
    answerSlow();
    const answer = await text(socket);
    expect(answer.match(/slow|hot GET|"ip"/g)).toEqual(['slow', 'hot GET', '"ip"', 'hot GET']);
  });

  it('cuts off a client that sends too many requests at once', async () => {
    const asked = new Promise<void>((resolve) => {
      slowAsked = resolve;
    });
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n' + 'GET /hot HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(MAX_WAITING));
    await asked;
    await fetch(`${url}/address`);
    expect(socket.destroyed).toBe(false);
    socket.write('GET /hot HTTP/1.1\r\nHost: x\r\n\r\n');
    await closed;
    expect(hotAsked).toBe(0);
  });

  it('does not believe X-Forwarded-For, unless a proxy is trusted, and then only its own word', async () => {
    const ask = async (): Promise<unknown> =>
      (await fetch(`${url}/address`, { headers: { 'x-forwarded-for': '6.6.6.6, 192.0.2.7' } })).json();
    expect(await ask()).toEqual({ ip: '127.0.0.1' });
    await app.close();
    await start({ ...LOOPBACK, trustedProxy: true });
    expect(await ask()).toEqual({ ip: '192.0.2.7' });
  });

  it('closes although a client keeps asking on a live connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = (): Promise<string | undefined> =>
      new Promise((resolve, reject) => {
        httpRequest(`${url}/hot`, { agent }, (response) => {
          response.resume().once('end', () => resolve(response.headers.connection));
        })
          .once('error', reject)
          .end();
      });
    expect(await ask()).toBe('keep-alive');
    const asking = (async (): Promise<never> => {
      for (;;) await ask();
    })().catch((error: NodeJS.ErrnoException) => error.code);
    await app.close();
    expect(['ECONNREFUSED', 'ECONNRESET']).toContain(await asking);
    agent.destroy();
  });

  it('closes although a client keeps a connection whose answer was under way', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const asked = new Promise<void>((resolve) => {
      slowAsked = resolve;
    });
    const answered = new Promise<string | undefined>((resolve, reject) => {
      httpRequest(`${url}/slow`, { agent }, (response) => {
        response.resume().once('end', () => resolve(response.headers.connection));
      })
        .once('error', reject)
        .end();
    });
    await asked;
    const closed = app.close();
    while (app.getHttpServer().listening) await new Promise(setImmediate);
    answerSlow();
    expect(await answered).toBe('keep-alive');
    await closed;
    agent.destroy();
  });

  it('closes although a client has connected and asked nothing', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.once('connect', resolve));
    // After one more exchange, the server has accepted the previous connection.
    await fetch(`${url}/address`);
    await app.close();
    await closed;
  });
});
