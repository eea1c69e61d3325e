import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DIMENSIONS } from '../rules/index.js';
import type { Answer } from './answer.js';
import type { GuardOptions } from './guard-options.js';
import { createGuard, type Guard } from './guard.js';

const MAX_TOKEN_LENGTH = 16_384;

interface Asked {
  readonly path: string;
  readonly query: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
  readonly form: Readonly<Record<string, string>>;
  readonly port: number | undefined;
  response: ServerResponse;
}
type Serve = (asked: Asked) => void;

const reply =
  (status: number, body: unknown, headers: Record<string, string> = {}): Serve =>
  ({ response }) =>
    void response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
const broken: Serve = ({ response }) => void response.destroy();
const active = (claims: object = {}, rescind?: object) => ({
  active: true,
  sub: 'u',
  ...claims,
  ...(rescind === undefined ? {} : { rescind }),
});
const keep = (seq: number) => ({ seq: String(seq), keep_ms: 60_000, shape_sets: DIMENSIONS.map(() => []) });
const unavailable = (retryAfter = 1): Answer => ({ state: 'unavailable', retryAfter });
const ACTIVE: Answer = { state: 'active', claims: { sub: 'u' } };

describe('a guard', () => {
  let asked: Asked[];
  /** The answers of each path, given one after the other; the last is repeated. */
  let script: Record<string, Serve[]>;
  let waiting: { readonly holds: () => boolean; readonly resolve: () => void }[];
  let url: string;
  let closing: (() => Promise<unknown>)[];

  beforeEach(async () => {
    [asked, script, waiting, closing] = [[], {}, [], []];
    const server = createServer((request, response) => void serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    closing.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  });
  afterEach(async () => {
    for (const close of closing.toReversed()) await close();
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const [path, query] = request.url!.split('?') as [string, string | undefined];
    const one: Asked = {
      path,
      query,
      authorization: request.headers.authorization,
      body,
      form: Object.fromEntries(new URLSearchParams(body)),
      port: request.socket.remotePort,
      response,
    };
    asked.push(one);
    const left = script[path] ?? [reply(404, {})];
    (left.length > 1 ? left.shift()! : left[0]!)(one);
    for (const { holds, resolve } of waiting) if (holds()) resolve();
  }

  const arrived = (holds: () => boolean): Promise<void> =>
    holds() ? Promise.resolve() : new Promise((resolve) => waiting.push({ holds, resolve }));
  const askedAt = (path: string): Asked[] => asked.filter((one) => one.path === path);

  function guard(over: Partial<GuardOptions> = {}): Guard {
    const sut = createGuard({ rescind: url, credentials: { key: 'k' }, timeoutMs: 10_000, ...over });
    closing.push(() => sut.stop());
    return sut;
  }

  it.each([
    [{ mode: 'both' }],
    [{ maxTokens: 0 }],
    [{ maxQuestions: 1.5 }],
    [{ maxWaiting: -1 }],
    [{ timeoutMs: Number.NaN }],
    [{ rescind: 'http://rescind.example' }],
    [{ rescind: 'ftp://127.0.0.1', cleartext: true }],
  ])('is not made with %j', (over) => {
    expect(() =>
      createGuard({
        rescind: 'https://rescind.example',
        credentials: { key: 'k' },
        ...(over as Partial<GuardOptions>),
      }),
    ).toThrow(TypeError);
  });

  it.each([{ maxTokens: 1 }, { maxQuestions: 1 }, { maxWaiting: 1 }, { timeoutMs: 1 }])('is made with %j', (over) => {
    expect(() => createGuard({ rescind: 'https://rescind.example', credentials: { key: 'k' }, ...over })).not.toThrow();
  });

  describe('that asks every time', () => {
    const introspecting = (over: Partial<GuardOptions> = {}): Guard => guard({ mode: 'introspect', ...over });

    it('says what the node says, with the hint and as its caller', async () => {
      script['/introspect'] = [
        reply(200, active()),
        reply(200, { active: false, rescind: { recorded: true } }),
        reply(200, { active: false }),
      ];
      const sut = introspecting({ credentials: () => ({ id: 'a:b', secret: 's' }) });
      sut.start();
      expect(await sut.ready).toBe(true);
      expect([await sut.check('t', 'refresh_token'), await sut.check('t'), await sut.check('t')]).toEqual([
        ACTIVE,
        { state: 'inactive', recorded: true },
        { state: 'inactive' },
      ]);
      expect(asked.map(({ form }) => form)).toEqual([
        { token: 't', token_type_hint: 'refresh_token' },
        { token: 't' },
        { token: 't' },
      ]);
      expect(asked[0]!.authorization).toBe(`Basic ${btoa('a%3Ab:s')}`);
      expect(sut.stats()).toMatchObject({ local: false, connected: false, asked: 3, hits: 0, unavailable: 0, kept: 0 });
    });

    it('keeps nothing, whatever the node allows', async () => {
      script['/introspect'] = [reply(200, active({}, keep(5)))];
      const sut = introspecting();
      expect(await sut.check('t')).toEqual(ACTIVE);
      expect(await sut.check('t')).toEqual(ACTIVE);
      expect(asked).toHaveLength(2);
    });

    it.each<[string, Serve, Answer]>([
      [
        'a refusal, for as long as it says',
        reply(503, { error: 'unavailable' }, { 'retry-after': '7' }),
        unavailable(7),
      ],
      ['a refusal that names a good token', reply(500, active()), unavailable()],
      ['a redirect', reply(302, active(), { location: '/elsewhere' }), unavailable()],
      ['what is no answer', reply(200, 'yes'), unavailable()],
      ['what is active by another word', reply(200, { active: 'true' }), unavailable()],
      ['an answer without an end', ({ response }) => void response.end(`"${'x'.repeat(300_000)}"`), unavailable()],
    ])('is not available after %s', async (_, answer, expected) => {
      script['/introspect'] = [answer];
      const sut = introspecting();
      expect(await sut.check('t')).toEqual(expected);
      expect(sut.stats().unavailable).toBe(1);
    });

    it('asks once more after a connection that broke, and no third time', async () => {
      script['/introspect'] = [broken, reply(200, active()), broken];
      const warned: unknown[] = [];
      const log = {
        info: () => undefined,
        warn: (_: object, message: string) => warned.push(message),
        error: () => undefined,
      };
      const sut = introspecting({ log });
      expect(await sut.check('t')).toEqual(ACTIVE);
      expect(sut.stats()).toMatchObject({ asked: 2, unavailable: 0 });
      expect(warned).toEqual(['no answer to a question']);
      expect(await sut.check('t')).toEqual(unavailable());
      expect(sut.stats()).toMatchObject({ asked: 4, unavailable: 1 });
    });

    it('warns of a question that was not answered, with its status and code', async () => {
      script['/introspect'] = [reply(503, { error: 'unavailable', token: 'secret' })];
      const warned: unknown[] = [];
      const log = { info: () => undefined, warn: (...said: unknown[]) => warned.push(said), error: () => undefined };
      await introspecting({ log }).check('t');
      expect(warned).toEqual([[{ status: 503, code: 'unavailable' }, 'a question was not answered']]);
    });

    it('asks nothing about a text that is no token', async () => {
      script['/introspect'] = [reply(200, active())];
      const sut = introspecting();
      expect([sut.check(''), sut.check('x'.repeat(MAX_TOKEN_LENGTH + 1))]).toEqual([
        { state: 'inactive' },
        { state: 'inactive' },
      ]);
      expect(await sut.check('x'.repeat(MAX_TOKEN_LENGTH))).toEqual(ACTIVE);
      expect(asked).toHaveLength(1);
    });

    it('answers nothing once it is stopped, and is not started again', async () => {
      script['/introspect'] = [reply(200, active())];
      const sut = introspecting();
      await sut.stop();
      await sut.stop();
      expect(await sut.ready).toBe(false);
      expect(await sut.check('t')).toEqual(unavailable());
      expect(() => sut.start()).toThrow(TypeError);
      expect(asked).toHaveLength(0);
    });

    it('gives a question up after its time', async () => {
      script['/introspect'] = [() => undefined];
      expect(await introspecting({ timeoutMs: 50 }).check('t')).toEqual(unavailable());
      await arrived(() => asked.length === 1);
    });
  });

  describe('that answers under a lease', () => {
    const event = (name: string, id: number, data: object): string =>
      `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
    const streaming: Serve = ({ response }) =>
      void response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .write(event('start', 5, { seq: '5', interest: '*' }));
    beforeEach(() => {
      script['/feed'] = [streaming];
      script['/feed/lease'] = [reply(200, { grant_ms: 20_000 }, { 'content-type': 'application/json' })];
    });

    async function connected(over: Partial<GuardOptions> = {}): Promise<Guard> {
      const sut = guard(over);
      sut.start();
      sut.start();
      expect(await sut.ready).toBe(true);
      return sut;
    }

    it('remembers what the node lets it, and asks with what it holds', async () => {
      script['/feed/token'] = [reply(200, active({}, keep(5)))];
      const sut = await connected();
      expect(sut.stats()).toMatchObject({ local: true, connected: true, held: '5', tokens: 0 });
      expect(await sut.check('t', 'access_token')).toEqual(ACTIVE);
      expect(sut.check('t')).toEqual(ACTIVE);
      expect(askedAt('/feed/token').map(({ form }) => form)).toEqual([
        { token: 't', token_type_hint: 'access_token', held: '5' },
      ]);
      expect(sut.stats()).toMatchObject({
        hits: 1,
        asked: 1,
        kept: 1,
        tokens: 1,
        questionsUnderWay: 0,
        questionsWaiting: 0,
      });
      expect(askedAt('/feed')).toHaveLength(1);
    });

    it('renews as soon as something was applied, over one connection', async () => {
      const sut = await connected();
      const before = askedAt('/feed/lease').length;
      const renewals = (held: string): Asked[] =>
        askedAt('/feed/lease').filter(({ body }) => (JSON.parse(body) as { held: string }).held === held);
      askedAt('/feed')[0]!.response.write(event('seq', 6, {}));
      await arrived(() => renewals('6').length > 0);
      expect(before).toBeGreaterThan(0);
      expect(new Set(askedAt('/feed/lease').map(({ port }) => port)).size).toBe(1);
      expect(sut.stats().held).toBe('6');
    });

    it('asks a node that is behind again, three times', async () => {
      script['/feed/token'] = [
        reply(503, { error: 'behind' }),
        broken,
        reply(503, { error: 'behind' }),
        reply(200, active()),
      ];
      const sut = await connected();
      const askedFrom = performance.now();
      expect(await sut.check('t')).toEqual(ACTIVE);
      // 10, 50 and 150 ms; a timer may fire a millisecond early.
      expect(performance.now() - askedFrom).toBeGreaterThan(206);
      expect(askedAt('/feed/token')).toHaveLength(4);
      script['/feed/token'] = [reply(503, { error: 'behind' }, { 'retry-after': '2' })];
      expect(await sut.check('u')).toEqual(unavailable(2));
      expect(askedAt('/feed/token')).toHaveLength(8);
    });

    it.each<[string, Serve, Answer]>([
      ['a refusal', reply(503, { error: 'unavailable' }), unavailable()],
      ['a token that is behind by another status', reply(500, { error: 'behind' }), unavailable()],
      ['a token that is not active', reply(200, { active: false }), { state: 'inactive' }],
      ['what is no answer', reply(200, {}), unavailable()],
    ])('asks once after %s', async (_, answer, expected) => {
      script['/feed/token'] = [answer];
      const sut = await connected();
      expect(await sut.check('t')).toEqual(expected);
      expect(askedAt('/feed/token')).toHaveLength(1);
    });

    it('asks before it is connected, from the beginning of what there is', async () => {
      script['/feed/token'] = [reply(200, active({}, keep(5)))];
      const sut = guard();
      expect(await sut.check('t')).toEqual(ACTIVE);
      expect(await sut.check('t')).toEqual(ACTIVE);
      expect(askedAt('/feed/token').map(({ form }) => form)).toEqual([
        { token: 't', held: '0' },
        { token: 't', held: '0' },
      ]);
    });

    it('has the stream widened by what a token names', async () => {
      const key = Buffer.alloc(16, 1).toString('base64url');
      script['/feed'] = [
        ({ response }) => void response.writeHead(200).write(event('start', 5, { seq: '5', interest: [] })),
        ({ response }) => void response.writeHead(200).write(event('start', 5, { seq: '5', interest: [key] })),
      ];
      script['/feed/token'] = [
        reply(
          200,
          active({}, { ...keep(5), shape_sets: DIMENSIONS.map((name) => (name === 'resource' ? [key] : [])) }),
        ),
      ];
      const sut = await connected();
      expect(await sut.check('t')).toEqual(ACTIVE);
      await arrived(() => askedAt('/feed').length === 2);
    });

    it('opens the stream anew when the node calls it slow', async () => {
      script['/feed/lease'] = [reply(503, { error: 'slow' }, { 'retry-after': '0' }), script['/feed/lease']![0]!];
      await connected();
      expect(
        askedAt('/feed')
          .slice(0, 2)
          .map(({ query }) => query),
      ).toEqual([undefined, 'after=5']);
    });

    it('gives its lease back when it stops, and says nothing afterwards', async () => {
      script['/feed/token'] = [reply(200, active({}, keep(5)))];
      const sut = await connected();
      await sut.check('t');
      await sut.stop();
      expect(JSON.parse(askedAt('/feed/lease').at(-1)!.body)).toMatchObject({ held: '0', release: true });
      expect(await sut.check('t')).toEqual(unavailable());
      expect(sut.stats()).toMatchObject({ local: false, tokens: 0, unavailable: 1 });
    });
  });
});
