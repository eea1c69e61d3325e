import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JWK } from 'jose';
import type { Message } from 'kafkajs';
import { audienceOfTenant, type CloudEvent } from '../../../src/contracts/index.js';
import type { Source } from '../../../src/control/index.js';
import { ADMIN_CALLER } from '../../../src/registry/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { uniqueName } from '../../support/services.js';
import {
  batchOf,
  bodyOf,
  linesOf,
  makeProducerKey,
  manifestOf,
  setOf,
  type ProducerKey,
} from '../../support/signed.js';
import { API, RAS, token } from '../../support/stage.js';
import {
  createKafkaStage,
  numbered,
  saying,
  tokens,
  until,
  type IngestProcess,
  type KafkaStage,
} from './kafka-fixture.js';

let stage: KafkaStage;
let audience: string;
let key: ProducerKey;
let forged: ProducerKey;

const cleanups = cleanUp(afterAll);
beforeAll(async () => {
  stage = await createKafkaStage();
  cleanups.push(() => stage.stop());
  audience = audienceOfTenant(stage.tenant);
  [key, forged] = await Promise.all([makeProducerKey('k-1'), makeProducerKey('k-1')]);
});

async function register(options: Parameters<KafkaStage['register']>[0] = {}, keys: object = {}): Promise<Source> {
  const source = await stage.register(options);
  await stage.registry.updateSource({ id: ADMIN_CALLER, tenant: stage.tenant }, source.id, {
    topic: source.topic,
    types: source.types,
    issuers: [RAS],
    resources: [API],
    signature: 'required',
    jwks: { keys: [key.publicJwk] },
    ...keys,
  });
  return stage.follower.state.source(source.id)!;
}

const record = (contentType: string, value: string): Message => ({
  key: null,
  value: Buffer.from(value),
  headers: { 'Content-Type': contentType },
});
const made = new Map<string, CloudEvent>();
/** The same event each time, as a producer sends it again. */
function eventOf(source: Source, jti: string): CloudEvent {
  const name = `${source.id} ${jti}`;
  const event = made.get(name) ?? tokens(source, jti)[0]!;
  made.set(name, event);
  return event;
}
const set = async (source: Source, jti: string, signer = key): Promise<Message> =>
  record('application/secevent+jwt', await setOf(signer, eventOf(source, jti), audience));
const batch = async (source: Source, jtis: readonly string[], signer = key): Promise<Message> => {
  const events = jtis.map((jti) => eventOf(source, jti));
  return record('application/rescind-batch', await batchOf(signer, events, source.uri, audience));
};

async function whileRunning(act: (process: IngestProcess) => Promise<unknown>): Promise<void> {
  const process = await stage.startProcess();
  try {
    await act(process);
  } finally {
    await process.stop();
  }
}

const modesOf = async (source: Source): Promise<string[]> =>
  (
    await stage.rows<{ mode: string }>(
      'SELECT mode FROM entry JOIN payload USING (tenant, ix) WHERE source = $1 ORDER BY ix',
      [source.id],
    )
  ).map(({ mode }) => mode);
const refusalsOf = (source: Source) =>
  stage.rows<{ code: string; record_offset: string }>(
    'SELECT code, record_offset FROM quarantine WHERE topic = $1 ORDER BY id',
    [source.topic],
  );
const stored = (source: Source, count: number) => until(async () => (await stage.stored(source)) === count);
const offsetOf = async (source: Source): Promise<string> =>
  (
    await stage.rows<{ next_offset: string }>('SELECT next_offset FROM kafka_offset WHERE topic = $1', [source.topic])
  )[0]!.next_offset;

describe('signed records', () => {
  it('are stored in the order of the topic, a SET as one event and a batch as several', async () => {
    const source = await register();
    await stage.send(source, [await set(source, 'a'), await batch(source, ['b', 'c', 'd']), await set(source, 'e')]);
    await whileRunning(() => stored(source, 5));
    expect(await modesOf(source)).toEqual(['set', 'batch', 'batch', 'batch', 'set']);
    expect(await offsetOf(source)).toBe('3');
  });

  it('that come again in another spelling are duplicates', async () => {
    const source = await register();
    await stage.send(source, [await set(source, 'f'), await batch(source, ['f', 'g']), await set(source, 'g')]);
    await whileRunning(async (process) => {
      await until(async () => (await process.seen('duplicate')) === 2);
      expect(await process.seen('rejected')).toBe(0);
    });
    expect(await stage.stored(source)).toBe(2);
  });

  it('that are forged or unsigned are refused, and do not stop those behind them', async () => {
    const source = await register();
    const [swapped, lines] = [numbered('s', 2), linesOf(tokens(source, ...numbered('s', 2)))];
    const manifest = await manifestOf(key, source.uri, audience, lines);
    await stage.send(source, [
      await set(source, 'h', forged),
      ...tokens(source, 'unsigned'),
      await batch(source, swapped, forged),
      record('application/rescind-batch', bodyOf(manifest, lines.toReversed())),
      await set(source, 'i'),
    ]);
    await whileRunning(() => stored(source, 1));
    expect(await refusalsOf(source)).toEqual([
      { code: 'signature-invalid', record_offset: '0' },
      { code: 'signature-required', record_offset: '1' },
      { code: 'signature-invalid', record_offset: '2' },
      { code: 'manifest-mismatch', record_offset: '3' },
    ]);
  });

  it('each of a batch that are refused stand in quarantine at its offset', async () => {
    const source = await register();
    const bad = saying(source, 'token.issued', token({ jti: 'bad', aud: ['https://another.example'] }), 'bad');
    const worse = saying(source, 'token.issued', token({ jti: 'worse', iss: 'https://another.example' }), 'worse');
    const body = await batchOf(key, [bad, ...tokens(source, 'j'), worse], source.uri, audience);
    await stage.send(source, [record('application/rescind-batch', body)]);
    await whileRunning(() => stored(source, 1));
    expect(await refusalsOf(source)).toEqual([
      { code: 'wrong-resource', record_offset: '0' },
      { code: 'wrong-issuer', record_offset: '0' },
    ]);
  });

  it('may carry token events on a shared topic, each source by its own key', async () => {
    const topic = `rescind.events.${uniqueName('shared')}`;
    const other = await makeProducerKey('k-2');
    const one = await register({ topic });
    const two = await register({ topic, partitions: 0 }, { jwks: { keys: [other.publicJwk] } });
    await stage.send(topic, [
      await set(one, 'k'),
      await batch(two, ['l', 'm'], other),
      await set(two, 'n', key),
      await set(one, 'o', other),
    ]);
    await whileRunning(async () => {
      await stored(one, 1);
      await stored(two, 2);
      await until(async () => (await refusalsOf(one)).length === 2);
    });
    expect((await refusalsOf(one)).map(({ code }) => code)).toEqual(['unknown-key', 'unknown-key']);
  });

  it('wait in their topic while the keys of their source cannot be fetched, and those before them are stored', async () => {
    let served: JWK[] | undefined;
    let asked = 0;
    const server = createServer((_, res) => {
      asked += 1;
      res.statusCode = served ? 200 : 500;
      res.end(JSON.stringify({ keys: served ?? [] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => new Promise<void>((resolve) => void server.close(() => resolve())));
    const { port } = server.address() as AddressInfo;
    const topic = `rescind.events.${uniqueName('waiting')}`;
    const near = await register({ topic });
    const away = await register({ topic, partitions: 0 }, { jwks: undefined, jwks_uri: `http://127.0.0.1:${port}/` });
    await stage.send(topic, [await set(near, 'p'), await set(away, 'q'), await set(near, 'r')]);
    await whileRunning(async () => {
      await stored(near, 1);
      await until(() => asked > 0);
      expect([await offsetOf(near), await refusalsOf(near)]).toEqual(['1', []]);
    });
    served = [key.publicJwk];
    // A new process has not failed to fetch, and so asks at once.
    await whileRunning(async () => {
      await stored(near, 2);
      await stored(away, 1);
    });
    expect(await refusalsOf(near)).toEqual([]);
  });
});
