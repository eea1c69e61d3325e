import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as parties from './parties.js';
import { startConformanceService, type ConformanceService } from './service.js';
import { digestOf } from './signing.js';

const { RAS } = parties;
const SINGLE = 'application/cloudevents+json';

let service: ConformanceService;
beforeAll(async () => {
  service = await startConformanceService();
});
afterAll(() => service.stop());

interface Posted {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Over `node:http`: it sends what `fetch` would not, such as a request without a content type or a header twice. */
function post(headers: Readonly<Record<string, string | readonly string[]>>, body: string | Buffer): Promise<Posted> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${service.url}/events`,
      { method: 'POST', headers: { authorization: `Bearer ${service.secret('producer')}`, ...headers } as never },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            body: JSON.parse(Buffer.concat(chunks).toString()) as Posted['body'],
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

interface Opaque {
  readonly text: string;
  readonly data: ReturnType<typeof parties.tokenFacts>;
}
function opaque(over: object = {}): Opaque {
  const text = `at_${randomUUID()}`;
  return { text, data: parties.tokenFacts(Math.floor(Date.now() / 1000), { sha256: digestOf(text), ...over }) };
}
const attributes = (over: object = {}) => ({
  specversion: '1.0',
  type: 'dev.rescind.token.issued.v1',
  source: RAS,
  id: randomUUID(),
  time: new Date().toISOString(),
  ...over,
});
/** The same as headers of the HTTP binding. */
const headersOf = (said: object): Record<string, string> =>
  Object.fromEntries(Object.entries(said).map(([name, value]) => [`ce-${name}`, String(value)]));

const isActive = async (token: string): Promise<unknown> => {
  const { text } = await service.post('/introspect', String(new URLSearchParams({ token })), {
    authorization: service.basic('chat-api'),
  });
  return (JSON.parse(text) as { active: unknown }).active;
};

async function expectTaken(posted: Posted, token: string): Promise<void> {
  expect(posted).toMatchObject({ status: 200, body: { state: 'sequenced' } });
  expect(await isActive(token)).toBe(true);
}

describe('CloudEvents JSON format 1.0.2, 2.2: an attribute that is null', () => {
  it.each(['subject', 'datacontenttype', 'dataschema', 'partitionkey', 'data_base64'])(
    '%s is treated as unset',
    async (name) => {
      const { text, data } = opaque();
      await expectTaken(
        await post({ 'content-type': SINGLE }, JSON.stringify({ ...attributes(), [name]: null, data })),
        text,
      );
    },
  );

  it('is the same event as the one without it', async () => {
    const event = { ...attributes(), data: opaque().data };
    const first = await post({ 'content-type': SINGLE }, JSON.stringify({ ...event, subject: null }));
    expect(await post({ 'content-type': SINGLE }, JSON.stringify(event))).toEqual({
      status: 200,
      body: { duplicate: true, index: first.body['index'] },
    });
  });
});

describe('CloudEvents JSON format 1.0.2, 3.1: the data', () => {
  it.each(['application/json', 'application/vnd.chat+json', undefined])(
    '3.1.2: `data_base64` is decoded (datacontenttype %p)',
    async (datacontenttype) => {
      const { text, data } = opaque();
      const event = {
        ...attributes(),
        datacontenttype,
        data_base64: Buffer.from(JSON.stringify(data)).toString('base64'),
      };
      await expectTaken(await post({ 'content-type': SINGLE }, JSON.stringify(event)), text);
    },
  );

  it('3.1.2: `data_base64` and `data` together are refused', async () => {
    const event = { ...attributes(), data: opaque().data, data_base64: 'e30=' };
    expect(await post({ 'content-type': SINGLE }, JSON.stringify(event))).toMatchObject({
      status: 400,
      body: { error: 'invalid-envelope' },
    });
  });

  it('3.1.1: a media type that ends in +json declares JSON', async () => {
    const { text, data } = opaque();
    await expectTaken(
      await post(
        { 'content-type': SINGLE },
        JSON.stringify({ ...attributes({ datacontenttype: 'application/vnd.chat+json' }), data }),
      ),
      text,
    );
  });

  it('members that this release does not know are kept and ignored', async () => {
    const { text, data } = opaque({ later: { since: 2 } });
    const event = { ...attributes(), data };
    const posted = await post({ 'content-type': SINGLE }, JSON.stringify(event));
    await expectTaken(posted, text);
    const { later: _later, ...known } = data as typeof data & { later: unknown };
    expect(await post({ 'content-type': SINGLE }, JSON.stringify({ ...event, data: known }))).toMatchObject({
      status: 409,
      body: { error: 'conflict' },
    });
  });
});

describe('CloudEvents HTTP binding 1.0.2, 3.1: binary mode', () => {
  it.each(['application/json', 'application/json; charset=utf-8', 'application/vnd.chat+json'])(
    'the attributes are `ce-` headers, the body is the data (%s)',
    async (type) => {
      const { text, data } = opaque();
      await expectTaken(await post({ ...headersOf(attributes()), 'content-type': type }, JSON.stringify(data)), text);
    },
  );

  it('is the same event as in structured mode', async () => {
    const said = attributes({ subject: 'at-1' });
    const { data } = opaque();
    const first = await post({ ...headersOf(said), 'content-type': 'application/json' }, JSON.stringify(data));
    expect(await post({ 'content-type': SINGLE }, JSON.stringify({ ...said, data }))).toEqual({
      status: 200,
      body: { duplicate: true, index: first.body['index'] },
    });
  });

  it('3.1.3.2: header values are decoded once', async () => {
    const said = attributes();
    const { data } = opaque();
    const first = await post(
      { ...headersOf(said), 'ce-subject': 'Euro%20%E2%82%AC', 'content-type': 'application/json' },
      JSON.stringify(data),
    );
    expect(first.status).toBe(200);
    expect(
      await post({ 'content-type': SINGLE }, JSON.stringify({ ...said, subject: 'Euro \u20ac', data })),
    ).toMatchObject({ body: { duplicate: true, index: first.body['index'] } });
  });

  it('3: the content type decides the mode: in structured mode `ce-` headers are ignored', async () => {
    const { text, data } = opaque();
    await expectTaken(
      await post({ 'ce-id': 'other', 'content-type': SINGLE }, JSON.stringify({ ...attributes(), data })),
      text,
    );
  });

  it('the refusal names a missing attribute', async () => {
    const { id: _id, ...said } = attributes();
    expect(
      await post({ ...headersOf(said), 'content-type': 'application/json' }, JSON.stringify(opaque().data)),
    ).toMatchObject({
      status: 400,
      body: { error: 'invalid-envelope', detail: expect.stringContaining('`id`') },
    });
  });

  it('a repeated attribute is refused', async () => {
    const answer = await post(
      { ...headersOf(attributes()), 'ce-id': ['a', 'b'], 'content-type': 'application/json' },
      JSON.stringify(opaque().data),
    );
    expect(answer).toMatchObject({ status: 400, body: { error: 'repeated-header' } });
  });
});

describe('the refusal of a body without an event says why', () => {
  it.each([
    ['neither headers nor a content type', {}, 'neither `ce-` headers'],
    ['a content type that is none of them', { 'content-type': 'application/vnd.chat+json' }, 'neither `ce-` headers'],
    ['headers without the content type of the data', { 'ce-id': 'e-1' }, 'needs the content type of its data'],
    [
      'data that is no JSON',
      { 'ce-id': 'e-1', 'content-type': 'application/avro' },
      'needs the content type of its data',
    ],
  ])('%s', async (_what, headers, says) => {
    expect(await post(headers, '{}')).toMatchObject({
      status: 415,
      body: { code: 'unsupported-media-type', detail: expect.stringContaining(says) },
    });
  });
});

describe('RFC 9470, 6.2: the answer to an introspection', () => {
  it('has `auth_time` and `acr` as the event of the token stated them', async () => {
    const at = Math.floor(Date.now() / 1000) - 60;
    const { text, data } = opaque({ auth_time: at, acr: 'urn:acme:acr:mfa' });
    await post({ 'content-type': SINGLE }, JSON.stringify({ ...attributes(), data }));
    const { text: answer } = await service.post('/introspect', String(new URLSearchParams({ token: text })), {
      authorization: service.basic('chat-api'),
    });
    expect(JSON.parse(answer)).toMatchObject({ active: true, auth_time: at, acr: 'urn:acme:acr:mfa' });
  });

  it('has neither if the event stated neither', async () => {
    const { text, data } = opaque();
    await post({ 'content-type': SINGLE }, JSON.stringify({ ...attributes(), data }));
    const { text: answer } = await service.post('/introspect', String(new URLSearchParams({ token: text })), {
      authorization: service.basic('chat-api'),
    });
    expect(Object.keys(JSON.parse(answer) as object)).not.toEqual(expect.arrayContaining(['auth_time']));
    expect(Object.keys(JSON.parse(answer) as object)).not.toEqual(expect.arrayContaining(['acr']));
  });
});
