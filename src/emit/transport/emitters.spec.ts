import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MAX_POST_BYTES, type CloudEvent, type RescindError } from '../../contracts/index.js';
import {
  buildEvent,
  createHttpEmitter,
  createKafkaEmitter,
  type HttpEmitterOptions,
  type KafkaMessage,
} from '../index.js';

const event = (id: string, reason = 'r'): CloudEvent =>
  buildEvent('token.revoked', {
    source: 'https://ras.example',
    id,
    data: { iss: 'https://ras.example', jti: id, reason },
  });

interface Received {
  path: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
});

async function listening(
  answer: (received: Received) => { status: number; body: unknown; headers?: Record<string, string> } | undefined,
) {
  const received: Received[] = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = { path: request.url, headers: request.headers, body: Buffer.concat(chunks).toString('utf8') };
      received.push(one);
      const reply = answer(one);
      if (reply !== undefined)
        response
          .writeHead(reply.status, reply.headers)
          .end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body));
    });
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

const sequencedAll = ({ body }: Received) => ({
  status: 200,
  body: (JSON.parse(body) as unknown[]).map((_, position) => ({ index: String(position), state: 'sequenced' })),
});
const emitter = (url: string, options: Partial<HttpEmitterOptions> = {}) =>
  createHttpEmitter({ url, credentials: { bearer: 'k' }, ...options });
const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error as RescindError,
  );

describe('createHttpEmitter', () => {
  it('posts a batch and returns what is said of each', async () => {
    const results = [
      { index: '7', state: 'sequenced' },
      { duplicate: true, index: '3' },
      { error: 'wrong-issuer', detail: 'x' },
    ];
    const { url, received } = await listening(() => ({ status: 200, body: results }));
    expect(await emitter(`${url}/rescind/`).emit([event('a'), event('b'), event('c')])).toEqual(results);
    expect(received[0]).toMatchObject({
      path: '/rescind/events',
      headers: { authorization: 'Bearer k', 'content-type': 'application/cloudevents-batch+json' },
    });
    expect(JSON.parse(received[0]!.body)).toHaveLength(3);
  });

  it('encodes credentials as RFC 6749, 2.3.1 asks', async () => {
    const { url, received } = await listening(sequencedAll);
    await emitter(url, { credentials: { clientId: 'a:b', clientSecret: 'ü %' } }).emit([event('a')]);
    expect(Buffer.from(received[0]!.headers.authorization!.slice('Basic '.length), 'base64').toString()).toBe(
      'a%3Ab:%C3%BC+%25',
    );
  });

  it('sends nothing for no events', async () => {
    const { url, received } = await listening(sequencedAll);
    expect(await emitter(url).emit([])).toEqual([]);
    expect(received).toEqual([]);
  });

  it('splits what is over the limits, and keeps the order', async () => {
    const { url, received } = await listening(sequencedAll);
    expect(await emitter(url).emit(Array.from({ length: 2_001 }, (_, index) => event(`e${index}`)))).toHaveLength(
      2_001,
    );
    expect(
      received
        .map(({ body }) => (JSON.parse(body) as { id: string }[]).map(({ id }) => id))
        .map((ids) => [ids.length, ids[0]]),
    ).toEqual([
      [1_000, 'e0'],
      [1_000, 'e1000'],
      [1, 'e2000'],
    ]);
    received.length = 0;
    const large = Array.from({ length: 900 }, (_, index) => ({
      ...event(`l${index}`),
      traceparent: 'x'.repeat(10_000),
    }));
    await emitter(url).emit(large);
    expect(received.length).toBeGreaterThan(1);
    for (const { body } of received) expect(Buffer.byteLength(body)).toBeLessThanOrEqual(MAX_POST_BYTES);
  });

  it('a single event that is refused is a result, not an error', async () => {
    const { url } = await listening(() => ({ status: 409, body: { error: 'conflict', detail: 'x' } }));
    expect(await emitter(url).emit([event('a')])).toEqual([{ error: 'conflict', detail: 'x' }]);
  });

  it.each<[number, unknown, string, boolean]>([
    [401, { error: 'invalid_client' }, 'unauthenticated', false],
    [403, '', 'forbidden', false],
    [413, '', 'too-large', false],
    [429, '', 'too-many-requests', true],
    [503, '', 'emit-failed', true],
    [503, { code: 'database-unavailable' }, 'database-unavailable', true],
    [404, 'not here', 'emit-failed', false],
    [200, [], 'emit-failed', true],
    [200, '<html>', 'emit-failed', true],
  ])('%i with %p is %s', async (status, body, code, retryable) => {
    const { url } = await listening(() => ({ status, body }));
    expect(await rejection(emitter(url).emit([event('a')]))).toMatchObject({ name: 'RescindError', code, retryable });
  });

  it('follows no redirect', async () => {
    const { url, received } = await listening(() => ({ status: 307, body: '', headers: { location: '/elsewhere' } }));
    expect(await rejection(emitter(url).emit([event('a')]))).toMatchObject({ code: 'emit-failed' });
    expect(received).toHaveLength(1);
  });

  it('gives up on an answer that does not come', async () => {
    const { url } = await listening(() => undefined);
    expect(await rejection(emitter(url, { timeoutMs: 50 }).emit([event('a')]))).toMatchObject({
      code: 'emit-failed',
      retryable: true,
    });
  });

  it('sends no secret in clear text to another machine unless told to', () => {
    expect(() => emitter('http://rescind.example')).toThrow(TypeError);
    expect(() => emitter('ftp://127.0.0.1')).toThrow(TypeError);
    emitter('http://rescind.example', { cleartext: true });
    emitter('https://rescind.example');
  });
});

describe('createKafkaEmitter', () => {
  interface Sent {
    topic: string;
    messages: KafkaMessage[];
    acks?: number;
    compression?: number;
  }

  it("sends to the source's own topic, acknowledged by every replica", async () => {
    const sent: Sent[] = [];
    const producer = { send: async (record: Sent) => void sent.push(record) };
    await createKafkaEmitter({ producer, sourceName: 'acme-ras', compression: 1 }).emit([event('a'), event('b')]);
    await createKafkaEmitter({ producer, sourceName: 'acme-ras', topic: 'shared', mode: 'structured' }).emit([
      event('c'),
    ]);
    await createKafkaEmitter({ producer, sourceName: 'acme-ras' }).emit([]);
    expect(
      sent.map(({ topic, acks, compression, messages }) => [topic, acks, compression, messages.map(({ key }) => key)]),
    ).toEqual([
      ['rescind.events.acme-ras', -1, 1, ['https://ras.example|a', 'https://ras.example|b']],
      ['shared', -1, undefined, ['https://ras.example|c']],
    ]);
  });

  it('a failure is retryable and keeps its cause', async () => {
    const cause = new Error('no leader');
    const failing = createKafkaEmitter({ producer: { send: () => Promise.reject(cause) }, sourceName: 'acme-ras' });
    expect(await rejection(failing.emit([event('a')]))).toMatchObject({ code: 'emit-failed', retryable: true, cause });
  });
});
