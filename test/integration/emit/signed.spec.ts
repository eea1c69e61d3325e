import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  buildEvent,
  createHttpEmitter,
  createProducer,
  createSigner,
  httpTransport,
  kafkaTransport,
  type KafkaMessage,
  type RefusedEvent,
  type Signer,
} from '../../../src/emit/index.js';
import type { RunningRescind } from '../../../src/main.js';
import { createRescindAdmin } from '../../../src/sandbox/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { startOwnRescind } from '../../support/rescind.js';
import type { TestDatabase } from '../../support/services.js';
import { makeProducerKey, type ProducerKey } from '../../support/signed.js';

const IDP = 'https://idp.acme.example';
const SOURCE = `${IDP}/events`;
const session = (sid: string) => ({ iss: IDP, sid, sub: 'u1' });
const retry = { firstMs: 2, maxMs: 20 };

describe('a producer that signs', () => {
  let service: RunningRescind;
  let database: TestDatabase;
  let admin: ReturnType<typeof createRescindAdmin>;
  let bearer: string;
  let audience: string;
  let key: ProducerKey;

  const cleanups = cleanUp(afterAll);
  beforeAll(async () => {
    ({ rescind: service, database } = await startOwnRescind(cleanups));
    admin = createRescindAdmin(service.url, service.adminKey!);
    key = await makeProducerKey('idp-1');
    ({ audience } = await admin.post<{ audience: string }>('/v1/sources', {
      ...settings(key),
      name: 'idp',
      uri: SOURCE,
    }));
    bearer = (
      await admin.post<{ secret: string }>('/v1/callers', { id: 'emitter', roles: { emit: { sources: ['idp'] } } })
    ).secret;
  });

  const settings = ({ publicJwk }: ProducerKey) => ({
    types: ['session.ended'],
    issuers: [IDP],
    signature: 'required',
    jwks: { keys: [publicJwk] },
  });
  const signerOf = ({ privateJwk }: ProducerKey): Signer =>
    createSigner({ source: SOURCE, audience, jwk: privateJwk as Record<string, unknown> });
  async function put(body: object): Promise<void> {
    const { status } = await fetch(new URL('/v1/sources/idp', service.url), {
      method: 'PUT',
      headers: { authorization: `Bearer ${service.adminKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(status).toBe(200);
  }
  const modes = async (): Promise<string[]> =>
    (
      await database.pool.query<{ mode: string }>(
        `SELECT mode FROM entry JOIN payload USING (tenant, ix) WHERE type = 'dev.rescind.session.ended.v1' ORDER BY ix`,
      )
    ).rows.map(({ mode }) => mode);

  function producer(signer: Signer | undefined, url = service.url) {
    const refused: RefusedEvent[] = [];
    const sut = createProducer({
      source: SOURCE,
      transport: httpTransport({ url, credentials: { bearer }, ...(signer ? { signer } : {}) }),
      flushMs: 1,
      retry,
      onDropped: () => undefined,
      onRefused: (one) => void refused.push(one),
    });
    cleanups.push(async () => void (await sut.close({ timeoutMs: 1 })));
    return { sut, refused };
  }

  it('delivers to a source that must sign, by a producer and by a script', async () => {
    const { sut } = producer(signerOf(key));
    for (const sid of ['a', 'b', 'c']) sut.emit('session.ended', session(sid));
    await sut.emitDurably('session.ended', session('d'));
    const events = ['e', 'f'].map((sid) => buildEvent('session.ended', { source: SOURCE, data: session(sid) }));
    const results = await createHttpEmitter({ url: service.url, credentials: { bearer }, signer: signerOf(key) }).emit(
      events,
    );
    expect(results).toMatchObject([{ state: 'sequenced' }, { state: 'sequenced' }]);
    expect(await modes()).toEqual(['batch', 'batch', 'batch', 'batch', 'batch', 'batch']);
  });

  it('loses no event while its key is not registered, or its signer is missing', async () => {
    const next = await makeProducerKey('idp-2');
    const before = (await modes()).length;
    const [early, unsigned] = [producer(signerOf(next)), producer(undefined)];
    await expect(early.sut.emitDurably('session.ended', session('g'))).rejects.toMatchObject({ code: 'unknown-key' });
    await expect(unsigned.sut.emitDurably('session.ended', session('h'))).rejects.toMatchObject({
      code: 'signature-required',
    });
    await put(settings(next));
    await early.sut.flush();
    await put({ ...settings(key), signature: 'optional' });
    await unsigned.sut.flush();
    await put(settings(key));
    expect([early.refused, unsigned.refused]).toEqual([[], []]);
    expect((await modes()).length).toBe(before + 2);
  });

  it('sends the same bytes again after a failure, although further events wait', async () => {
    const bodies: Buffer[] = [];
    let open!: () => void;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const server = createServer(async (req, res) => {
      bodies.push(await bodyOf(req));
      if (bodies.length === 2) await gate;
      if (bodies.length < 3) return void req.socket.destroy();
      const count = bodies.at(-1)!.toString().trimEnd().split('\n').length - 1;
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify(Array.from({ length: count }, (_, at) => ({ index: String(at), state: 'sequenced' }))));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => new Promise<void>((resolve) => void server.close(() => resolve())));
    const { sut } = producer(signerOf(key), `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    sut.emit('session.ended', session('i'));
    while (bodies.length < 2) await new Promise((resolve) => setImmediate(resolve));
    sut.emit('session.ended', session('j'));
    open();
    await sut.flush();
    expect(bodies.length).toBe(4);
    expect(bodies[1]!.equals(bodies[0]!)).toBe(true);
    expect(bodies[2]!.equals(bodies[0]!)).toBe(true);
    expect(bodies[3]!.equals(bodies[0]!)).toBe(false);
  });

  it('writes SETs to Kafka, and the same ones again after a failure', async () => {
    const sent: KafkaMessage[][] = [];
    const transport = kafkaTransport({
      sourceName: 'idp',
      signer: signerOf(key),
      producer: {
        async send({ messages }) {
          sent.push(messages);
          if (sent.length === 1) throw new Error('away');
        },
      },
    });
    const sut = createProducer({
      source: SOURCE,
      transport,
      flushMs: 1,
      retry,
      onDropped: () => undefined,
      onRefused: () => undefined,
    });
    sut.emit('session.ended', session('k'));
    sut.emit('session.ended', session('l'));
    await sut.flush();
    await sut.close();
    expect(sent).toHaveLength(2);
    expect(sent[1]).toEqual(sent[0]);
    for (const { headers } of sent[0]!) expect(headers).toEqual({ 'content-type': 'application/secevent+jwt' });
    const response = await fetch(new URL('/events', service.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/secevent+jwt' },
      body: sent[0]![0]!.value.toString(),
    });
    expect(await response.json()).toMatchObject({ state: 'sequenced' });
  });
});

async function bodyOf(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
