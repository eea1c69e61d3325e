import { createServer, request, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createMemoryWorld, NOW, type MemoryWorld } from '../../../test/conformance/memory-world.js';
import * as parties from '../../../test/conformance/parties.js';
import { digestOf } from '../../../test/conformance/signing.js';

const FORM = 'application/x-www-form-urlencoded';

let world: MemoryWorld;
let server: Server;
let url: string;
beforeEach(async () => {
  world = createMemoryWorld();
  world.recordToken(parties.tokenFacts(NOW, { sha256: digestOf('at_1') }));
  server = createServer(world.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/introspect`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

interface Sent {
  body?: string;
  method?: string;
  type?: string | undefined;
  authorization?: string | undefined;
  encoding?: string;
}
async function send({
  body = 'token=at_1',
  method = 'POST',
  type = FORM,
  authorization = parties.basic('chat-api'),
  encoding,
}: Sent = {}) {
  const headers = {
    'content-type': type,
    ...(authorization === '' ? {} : { authorization }),
    ...(encoding ? { 'content-encoding': encoding } : {}),
  };
  const response = await fetch(url, { method, headers, ...(method === 'GET' ? {} : { body }) });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

describe('POST /introspect', () => {
  it.each<[string, Sent, number]>([
    ['a question', {}, 200],
    ['a charset', { type: `${FORM}; charset=UTF-8` }, 200],
    ['a media type in other case', { type: 'Application/X-WWW-Form-URLEncoded' }, 200],
    [
      'client_secret_post',
      { authorization: '', body: `token=at_1&client_id=chat-api&client_secret=${parties.secretOf('chat-api')}` },
      200,
    ],
    ['a bearer key', { authorization: parties.bearer('chat-api') }, 200],
    ['no token', { body: 'token_type_hint=access_token' }, 400],
    ['an empty token', { body: 'token=' }, 400],
    ['two tokens', { body: 'token=at_1&token=at_2' }, 400],
    ['another parameter twice', { body: 'token=at_1&x=1&x=2' }, 400],
    ['a wrong escape', { body: 'token=%zz' }, 400],
    ['JSON', { type: 'application/json', body: '{"token":"at_1"}' }, 400],
    ['a compressed form', { encoding: 'gzip' }, 400],
    [
      'two ways of authentication',
      { body: `token=at_1&client_id=chat-api&client_secret=${parties.secretOf('chat-api')}` },
      400,
    ],
    ['no credentials', { authorization: '' }, 401],
    ['no credentials and no token', { authorization: '', body: 'x=1' }, 401],
    ['a wrong secret', { authorization: parties.basic('chat-api', 'rsk_wrong') }, 401],
    ['a wrong bearer key', { authorization: 'Bearer rsk_wrong' }, 401],
    ['a bearer key without the role', { authorization: parties.bearer('producer') }, 401],
    ['GET', { method: 'GET' }, 405],
    ['PUT', { method: 'PUT' }, 405],
    ['a token of a megabyte', { body: `token=${'a'.repeat(1_048_576)}` }, 413],
    ['a token just too long', { body: `token=${'a'.repeat(65_536 - 5)}` }, 413],
    ['a token of 64 KiB', { body: `token=${'a'.repeat(65_536 - 6)}` }, 200],
  ])('%s', async (_, sent, status) => {
    const answer = await send(sent);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('content-type')).toBe('application/json');
    if (status === 405) expect(answer.headers.get('allow')).toBe('POST');
    if (status === 401) expect(answer.headers.get('www-authenticate')).toMatch(/^(Basic|Bearer) /);
  });

  it('answers a client without the role as one that may not know', async () => {
    expect(await send({ authorization: parties.basic('producer') })).toMatchObject({
      status: 200,
      text: '{"active":false}',
    });
  });

  it('names RFC 6750’s errors to who came with a bearer key', async () => {
    expect(JSON.parse((await send({ authorization: 'Bearer rsk_wrong' })).text)).toMatchObject({
      error: 'invalid_token',
    });
    expect(JSON.parse((await send({ authorization: parties.bearer('producer') })).text)).toMatchObject({
      error: 'insufficient_scope',
    });
    expect(JSON.parse((await send({ authorization: parties.basic('chat-api', 'x') })).text)).toMatchObject({
      error: 'invalid_client',
    });
  });

  it('says 503 with nothing but when to ask again, while it cannot tell', async () => {
    world.isCurrent = false;
    const answer = await send();
    expect(answer).toMatchObject({ status: 503, text: '' });
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('cuts off who sends more than it is worth to read', async () => {
    const sent = new Promise<string>((resolve) => {
      const call = request(url, { method: 'POST', headers: { 'content-type': FORM } }, (response) =>
        resolve(`answered ${response.statusCode}`),
      );
      call.on('error', () => resolve('cut off'));
      const chunk = 'a'.repeat(1 << 20);
      const more = (): void => void call.write(chunk, (error) => (error ? undefined : more()));
      more();
    });
    expect(['answered 413', 'cut off']).toContain(await sent);
    expect(await world.count('too-large')).toBe(1);
    expect((await send()).status).toBe(200);
  });

  it('reads a body in pieces', async () => {
    const status = await new Promise<number | undefined>((resolve) => {
      const headers = { 'content-type': FORM, authorization: parties.basic('chat-api') };
      const call = request(url, { method: 'POST', headers }, (response) => resolve(response.resume().statusCode));
      call.write('tok');
      setTimeout(() => call.end('en=at_1'), 20);
    });
    expect(status).toBe(200);
    expect(await world.count('active')).toBe(1);
  });
});

describe('POST /introspect behind a trusted proxy', () => {
  it('throttles failures by the address that the proxy saw, not by the proxy’s or one that a client wrote', async () => {
    const behind = createMemoryWorld({ trustedProxy: true });
    server.removeAllListeners('request');
    server.on('request', behind.handle);
    const fail = async (forwarded: string): Promise<number> => {
      const headers = { 'content-type': FORM, authorization: 'Bearer rsk_wrong', 'x-forwarded-for': forwarded };
      const response = await fetch(url, { method: 'POST', headers, body: 'token=at_1' });
      await response.text();
      return response.status;
    };
    const FAILURES = 30;
    const statuses = await Promise.all(
      Array.from({ length: FAILURES }, (_, at) => fail(`198.51.100.${at}, 203.0.113.7`)),
    );
    expect(statuses).toContain(429);
    expect(await fail('203.0.113.7, 203.0.113.8')).toBe(401);
  });

  it('goes by the address of the connection where no proxy is trusted, whatever a client writes', async () => {
    const fail = async (nth: number): Promise<number> => {
      const headers = {
        'content-type': FORM,
        authorization: 'Bearer rsk_wrong',
        'x-forwarded-for': `198.51.100.${nth}`,
      };
      return (await fetch(url, { method: 'POST', headers, body: 'token=at_1' })).status;
    };
    expect(await Promise.all(Array.from({ length: 30 }, (_, nth) => fail(nth)))).toContain(429);
  });

  it('keeps an address waiting that failed too often, and not who has the right secret', async () => {
    const FAILURES = 30;
    const HOLD_MS = 240;
    const wrong = Array.from({ length: FAILURES }, async () => {
      const sentAt = performance.now();
      const { status } = await send({ authorization: 'Bearer rsk_wrong' });
      return { status, ms: performance.now() - sentAt };
    });
    expect((await send()).status).toBe(200);
    const throttled = (await Promise.all(wrong)).filter(({ status }) => status === 429);
    expect(throttled.length).toBeGreaterThan(0);
    for (const { ms } of throttled) expect(ms).toBeGreaterThanOrEqual(HOLD_MS);
  });

  it('keeps a thousand waiting for a quarter of a second, and answers one more at once', async () => {
    const KEPT = 1_000;
    const open = (): Promise<Socket> =>
      new Promise((resolve) => {
        const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => resolve(socket));
      });
    const refused = (socket: Socket): Promise<string> =>
      new Promise(
        (resolve) => void socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1').slice(0, 12))),
      );
    const counted = async (calls: number): Promise<void> => {
      while ((await world.count('unauthenticated')) < calls) await new Promise(setImmediate);
    };
    const body = 'token=at_1';
    const wrong = `POST /introspect HTTP/1.1\r\nhost: h\r\ncontent-type: ${FORM}\r\nauthorization: Bearer rsk_wrong\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    let failures = 1;
    while ((await send({ authorization: 'Bearer rsk_wrong' })).status === 401) failures++;
    jest.useFakeTimers({
      doNotFake: [
        'Date',
        'hrtime',
        'nextTick',
        'performance',
        'queueMicrotask',
        'setImmediate',
        'clearImmediate',
        'setInterval',
        'clearInterval',
      ],
    });
    const [many, one, another] = [await open(), await open(), await open()];
    try {
      many.write(wrong.repeat(KEPT));
      await counted(failures + KEPT);
      one.write(wrong);
      expect(await refused(one)).toBe('HTTP/1.1 429');
      let isHeld = true;
      const held = refused(many).then((status) => ((isHeld = false), status));
      jest.advanceTimersByTime(249);
      another.write(wrong);
      expect([await refused(another), isHeld]).toEqual(['HTTP/1.1 429', true]);
      jest.advanceTimersByTime(1);
      expect(await held).toBe('HTTP/1.1 429');
      // There is room again.
      one.write(wrong);
      await counted(failures + KEPT + 3);
      const late = refused(one);
      jest.advanceTimersByTime(250);
      expect(await late).toBe('HTTP/1.1 429');
    } finally {
      jest.useRealTimers();
      for (const socket of [many, one, another]) socket.destroy();
    }
  });
});
