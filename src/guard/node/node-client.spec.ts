import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createNodeClient, type NodeAnswer, type NodeClient } from './node-client.js';

const MAX_ANSWER_BYTES = 262_144;

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let url: string;
let asked: Asked[];
let answer: (response: ServerResponse) => void;
let close: () => Promise<unknown>;

beforeEach(async () => {
  asked = [];
  answer = (response) => void response.end('{"ok":true}');
  const server = createServer((request, response) => {
    void (async () => {
      const body = await text(request);
      asked.push({ method: request.method, url: request.url, headers: request.headers, body });
      answer(response);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = () => new Promise((resolve) => server.close(resolve).closeAllConnections());
});
afterEach(() => close());

const signal = new AbortController().signal;
const client = (path = ''): NodeClient => createNodeClient({ rescind: url + path, credentials: { key: 'k' } });

describe('the address of a node', () => {
  it.each(['https://rescind.example', 'http://localhost:1', 'http://127.0.0.1:1', 'http://[::1]:1'])(
    'may be %s',
    (rescind) => {
      expect(() => createNodeClient({ rescind, credentials: { key: 'k' } })).not.toThrow();
    },
  );

  it.each<[string, boolean | undefined]>([
    ['http://rescind.example', undefined],
    ['http://rescind.example', false],
    ['ftp://localhost', true],
  ])('cannot be %s with `cleartext` %p', (rescind, cleartext) => {
    expect(() =>
      createNodeClient({ rescind, credentials: { key: 'k' }, ...(cleartext === undefined ? {} : { cleartext }) }),
    ).toThrow(TypeError);
  });

  it('may be cleartext on another machine where that is allowed', () => {
    expect(() =>
      createNodeClient({ rescind: 'http://rescind.example', credentials: { key: 'k' }, cleartext: true }),
    ).not.toThrow();
  });

  it('keeps its path', async () => {
    await client('/behind/').postForm('/introspect', {}, signal);
    await client('/behind').postLease({}, signal);
    await client('/behind').openStream('/feed', {}, signal);
    expect(asked.map((one) => one.url)).toEqual(['/behind/introspect', '/behind/feed/lease', '/behind/feed']);
  });
});

describe('a request', () => {
  it('carries the key, or the id and secret, each form-encoded', async () => {
    await client().postForm('/introspect', { token: 'a b' }, signal);
    await createNodeClient({ rescind: url, credentials: { id: 'a:b', secret: 'c d' } }).postForm(
      '/introspect',
      {},
      signal,
    );
    expect(asked[0]).toMatchObject({
      method: 'POST',
      body: 'token=a+b',
      headers: { authorization: 'Bearer k', 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(asked[1]!.headers.authorization).toBe(`Basic ${btoa('a%3Ab:c+d')}`);
  });

  it('for a lease carries its body in bytes', async () => {
    await client().postLease({ id: 'ä' }, signal);
    expect(asked[0]).toMatchObject({
      method: 'POST',
      body: '{"id":"ä"}',
      headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
    });
  });

  it('for a lease waits for the one before, on the same connection', async () => {
    const ports = new Set<number | undefined>();
    answer = (response) => {
      ports.add(response.req.socket.remotePort);
      setImmediate(() => response.end('{}'));
    };
    const sut = client();
    await Promise.all([sut.postLease({}, signal), sut.postLease({}, signal), sut.postLease({}, signal)]);
    await sut.postLease({}, signal);
    expect([asked.length, ports.size]).toEqual([4, 1]);
  });

  it('for a stream has a query only where there is something to ask', async () => {
    await client().openStream('/feed', {}, signal);
    await client().openStream('/feed', { after: '5' }, signal);
    expect(asked.map((one) => one.url)).toEqual(['/feed', '/feed?after=5']);
    expect(asked[0]!.headers).toMatchObject({ authorization: 'Bearer k', accept: 'text/event-stream' });
  });

  it('for a stream follows no redirect, which would carry the key away', async () => {
    answer = (response) => void response.writeHead(302, { location: '/elsewhere' }).end();
    await expect(client().openStream('/feed', {}, signal)).rejects.toThrow();
    expect(asked).toHaveLength(1);
  });
});

describe.each<[string, (sut: NodeClient) => Promise<NodeAnswer>]>([
  ['a form', (sut) => sut.postForm('/introspect', {}, signal)],
  ['a lease', (sut) => sut.postLease({}, signal)],
])('an answer to %s', (_, post) => {
  it('is its status, its object and how long to wait', async () => {
    answer = (response) => void response.writeHead(503, { 'retry-after': '7' }).end('{"error":"behind"}');
    expect(await post(client())).toEqual({ status: 503, body: { error: 'behind' }, retryAfter: 7 });
  });

  it.each<[string, string | undefined]>([
    ['none', undefined],
    ['one of words', 'soon'],
    ['a date', 'Wed, 21 Oct 2026 07:28:00 GMT'],
    ['one below zero', '-1'],
    ['one of too many digits', '1234567890'],
    ['an empty one', ''],
  ])('says nothing of waiting with %s', async (_name, retryAfter) => {
    answer = (response) =>
      void response.writeHead(200, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end('{}');
    expect((await post(client())).retryAfter).toBeUndefined();
  });

  it('is text, also where a character is cut between two pieces', async () => {
    const bytes = Buffer.from('{"sub":"jürgen"}');
    const cut = bytes.indexOf(0xc3) + 1;
    answer = (response) => {
      response.write(bytes.subarray(0, cut));
      setTimeout(() => response.end(bytes.subarray(cut)), 20);
    };
    expect((await post(client())).body).toEqual({ sub: 'jürgen' });
  });

  it('may have no body', async () => {
    answer = (response) => void response.writeHead(204).end();
    expect(await post(client())).toEqual({ status: 204, body: undefined, retryAfter: undefined });
  });

  it('never makes a client wait for more than 30 seconds', async () => {
    answer = (response) => void response.writeHead(503, { 'retry-after': '3600' }).end('{}');
    expect((await post(client())).retryAfter).toBe(30);
  });

  it.each(['[]', 'null', '"a"', '{', ''])('%s has no object', async (body) => {
    answer = (response) => void response.end(body);
    expect((await post(client())).body).toBeUndefined();
  });

  it('is read up to the byte where it is too long', async () => {
    const long = (bytes: number): string => `{"a":"${'x'.repeat(bytes - 8)}"}`;
    answer = (response) => void response.end(long(MAX_ANSWER_BYTES));
    expect((await post(client())).body).toBeDefined();
    answer = (response) => void response.end(long(MAX_ANSWER_BYTES + 1));
    await expect(post(client())).rejects.toThrow(RangeError);
  });

  it('is put together from pieces that end within a character', async () => {
    answer = (response) => {
      const bytes = Buffer.from('{"a":"ä"}');
      response.write(bytes.subarray(0, 7), () => setImmediate(() => response.end(bytes.subarray(7))));
    };
    expect((await post(client())).body).toEqual({ a: 'ä' });
  });
});
