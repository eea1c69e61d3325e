import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Consumer, KafkaMessage } from 'kafkajs';
import { createClient } from '../../src/platform/kafka/client.kafka.js';
import { createKafka } from '../../src/platform/kafka/index.js';
import { ensureTopics } from '../../src/platform/kafka/topics.kafka.js';
import { createHttpPublisher, createKafkaPublisher, bindLoopback } from '../../src/sandbox/index.js';
import { testBrokers, testLog, uniqueName } from '../support/services.js';

const SOURCE = 'urn:sandbox:idp';
const ended = { iss: 'https://idp.example', sid: 's1', sub: 'alice' };

describe('publishing to Kafka', () => {
  const options = { brokers: testBrokers(), clientId: 'spec', log: testLog() };
  const kafka = createKafka(options);
  const client = createClient(options);
  const name = uniqueName('idp');
  let consumer: Consumer;
  const received: KafkaMessage[] = [];
  const waiting: (() => void)[] = [];

  beforeAll(async () => {
    const admin = client.admin();
    await admin.connect();
    await ensureTopics(admin, [{ topic: `rescind.events.${name}`, partitions: 1 }]);
    await admin.disconnect();
    consumer = client.consumer({ groupId: uniqueName('spec') });
    await consumer.connect();
    await consumer.subscribe({ topic: `rescind.events.${name}`, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        received.push(message);
        for (const wake of waiting.splice(0)) wake();
      },
    });
  });
  afterAll(() => consumer.disconnect());

  async function next(count: number): Promise<KafkaMessage> {
    while (received.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
    return received[count - 1]!;
  }

  it.each([
    ['binary', undefined],
    ['structured', undefined],
    ['binary', 'gzip'],
    ['structured', 'gzip'],
  ] as const)('publishes in %s mode with compression %s', async (mode, compression) => {
    const before = received.length;
    const sut = await createKafkaPublisher({
      kafka,
      sourceName: name,
      source: SOURCE,
      mode,
      ...(compression === undefined ? {} : { compression }),
    });
    await sut.publish('session.ended', ended, { subject: 'alice', time: new Date('2026-11-24T08:00:00Z') });
    await sut.stop();

    const { key, value, headers = {} } = await next(before + 1);
    const header = (label: string): string | undefined => headers[label]?.toString();
    const body = JSON.parse(value?.toString('utf8') ?? '') as Record<string, unknown>;
    const event =
      mode === 'structured'
        ? body
        : {
            type: header('ce_type'),
            source: header('ce_source'),
            subject: header('ce_subject'),
            time: header('ce_time'),
            data: body,
          };
    expect(event).toMatchObject({
      type: 'dev.rescind.session.ended.v1',
      source: SOURCE,
      subject: 'alice',
      time: '2026-11-24T08:00:00.000Z',
      data: ended,
    });
    expect(header('content-type')).toContain(
      mode === 'structured' ? 'application/cloudevents+json' : 'application/json',
    );
    expect(key?.toString()).toBe('https://idp.example|s1');
  });

  it('rejects an event for an unregistered topic instead of creating the topic', async () => {
    const impatient = createKafka({
      brokers: testBrokers(),
      clientId: 'spec',
      log: testLog(),
      retry: { retries: 1, initialRetryTime: 10 },
    });
    const sut = await createKafkaPublisher({
      kafka: impatient,
      sourceName: uniqueName('nobody'),
      source: SOURCE,
      mode: 'binary',
    });
    await expect(sut.publish('session.ended', ended)).rejects.toMatchObject({ code: 'emit-failed' });
    await sut.stop();
  });

  it('rejects an event that violates its schema before sending it', async () => {
    const sut = await createKafkaPublisher({ kafka, sourceName: name, source: SOURCE, mode: 'binary' });
    await expect(sut.publish('session.ended', { ...ended, sid: '' })).rejects.toMatchObject({ code: 'invalid-event' });
    await sut.stop();
  });
});

describe('publishing over HTTP', () => {
  it.each([
    ['takes a durable event', 200, [{ index: '7', state: 'sequenced' }], undefined],
    ['rejects a refusal', 400, [{ error: 'wrong-issuer', detail: 'not yours' }], /wrong-issuer/],
  ])('%s', async (_what, status, answer, expected) => {
    const server = await bindLoopback();
    server.serve((request, response) => {
      request.resume();
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
    const sut = createHttpPublisher({ rescindUrl: server.origin, bearerKey: 'key', source: SOURCE });
    const outcome = sut.publish('session.ended', ended);
    if (expected === undefined) await expect(outcome).resolves.toBeUndefined();
    else await expect(outcome).rejects.toThrow(expected);
    await server.stop();
  });
});
