import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Kafka, KafkaMessage, Producer as KafkaClient } from 'kafkajs';
import { createProducer, kafkaTransport, type Producer, type ProducerOptions } from '../../../src/emit/index.js';
import { createClient } from '../../../src/platform/kafka/client.kafka.js';
import { ensureTopics } from '../../../src/platform/kafka/topics.kafka.js';
import { cleanUp } from '../../support/cleanups.js';
import { ownKafka, testLog, uniqueName, type OwnService } from '../../support/services.js';

const SOURCE = 'https://login.chat.example';
const USERS = 7;

describe('a producer over Kafka', () => {
  let service: OwnService & { readonly brokers: string[] };
  let kafka: Kafka;
  let client: KafkaClient;
  let directory: string;

  const cleanups = cleanUp(afterAll);
  beforeAll(async () => {
    service = await ownKafka();
    cleanups.push(() => service.remove());
    await service.start();
    kafka = createClient({
      brokers: service.brokers,
      clientId: 'spec',
      log: testLog(),
      retry: { initialRetryTime: 50, retries: 2 },
    });
    client = kafka.producer({ allowAutoTopicCreation: false });
    await client.connect();
    cleanups.push(() => client.disconnect());
    directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
    cleanups.push(() => rm(directory, { recursive: true }));
  });

  async function createTopic(partitions: number, maxMessageBytes?: number): Promise<string> {
    const name = uniqueName('chat');
    const admin = kafka.admin();
    await admin.connect();
    const config: Record<string, string> =
      maxMessageBytes === undefined ? {} : { 'max.message.bytes': String(maxMessageBytes) };
    await ensureTopics(admin, [{ topic: `rescind.events.${name}`, partitions, config }]);
    await admin.disconnect();
    return name;
  }
  function producer(sourceName: string, options: Partial<ProducerOptions> = {}): { sut: Producer; told: string[] } {
    const told: string[] = [];
    const sut = createProducer({
      source: SOURCE,
      transport: kafkaTransport({ producer: client, sourceName }),
      retry: { firstMs: 20, maxMs: 200 },
      onDropped: ({ event, reason }) => void told.push(`${event?.id} ${reason}`),
      onRefused: ({ event, code }) => void told.push(`${event.id} ${code}`),
      ...options,
    });
    return { sut, told };
  }
  /** Everything in the topic, in the order of each partition. */
  async function readAll(name: string): Promise<KafkaMessage[][]> {
    const topic = `rescind.events.${name}`;
    const admin = kafka.admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(topic);
    await admin.disconnect();
    const partitions: KafkaMessage[][] = ends.map(() => []);
    const consumer = kafka.consumer({ groupId: uniqueName('spec') });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve) => {
      void consumer.run({
        eachMessage: async ({ partition, message }) => {
          partitions[partition]!.push(message);
          if (ends.every((end) => Number(end.high) <= partitions[end.partition]!.length)) resolve();
        },
      });
    });
    await consumer.disconnect();
    return partitions;
  }
  const idOf = (message: KafkaMessage) => Number(message.headers?.['ce_id']?.toString());

  it('the broker is killed twice: every event arrives, in the order of its token, and none is dropped', async () => {
    const name = await createTopic(3);
    const { sut, told } = producer(name, { maxWaiting: 200, spool: { directory } });
    let sent = 0;
    const emit = (count: number): void => {
      for (const end = sent + count; sent < end; sent++) {
        sut.emit(
          'access.allowed',
          { token: { iss: SOURCE, jti: `t${sent % USERS}` }, operation: 'read' },
          { id: String(sent) },
        );
      }
    };
    for (let outage = 0; outage < 2; outage++) {
      for (let n = 0; n < 10; n++) {
        emit(50);
        await sut.emitDurably(
          'access.allowed',
          { token: { iss: SOURCE, jti: `t${sent % USERS}` }, operation: 'read' },
          { id: String(sent++) },
        );
      }
      emit(50);
      service.kill();
      for (let n = 0; n < 10; n++) {
        emit(100);
        await sut.emitDurably(
          'access.allowed',
          { token: { iss: SOURCE, jti: `t${sent % USERS}` }, operation: 'read' },
          { id: String(sent++), until: 'spooled' },
        );
      }
      expect(sut.stats().spooled).toBeGreaterThan(900);
      await service.start();
    }
    await sut.flush();
    expect(sut.stats()).toMatchObject({ accepted: sent, delivered: sent, dropped: 0, waiting: 0 });
    await sut.close();
    expect(told).toEqual([]);

    const partitions = await readAll(name);
    expect(new Set(partitions.flat().map(idOf)).size).toBe(sent);
    for (const messages of partitions) {
      const firsts = [...new Set(messages.map(idOf))];
      expect(firsts).toEqual([...firsts].sort((one, other) => one - other));
    }
  }, 120_000);

  it('finds the one record that the broker refuses', async () => {
    const name = await createTopic(1, 3_000);
    const { sut, told } = producer(name);
    for (let n = 0; n < 30; n++)
      sut.emit('token.revoked', { iss: SOURCE, jti: `t${n}`, reason: 'r' }, { id: String(n) });
    sut.emit(
      'access.allowed',
      { token: { iss: SOURCE, jti: 'big' }, operation: 'read', path: `/${'p'.repeat(3_500)}` },
      { id: '30' },
    );
    for (let n = 31; n < 50; n++)
      sut.emit('token.revoked', { iss: SOURCE, jti: `t${n}`, reason: 'r' }, { id: String(n) });
    await sut.flush();
    await sut.close();
    expect(told).toEqual(['30 too-large']);
    expect(new Set((await readAll(name)).flat().map(idOf)).size).toBe(49);
  }, 60_000);

  it('a missing topic holds events back, waiting callers are told, and the events go out when the topic exists', async () => {
    const name = uniqueName('later');
    const { sut, told } = producer(name);
    sut.emit('token.revoked', { iss: SOURCE, jti: 't1', reason: 'r' }, { id: '1' });
    await expect(
      sut.emitDurably('token.revoked', { iss: SOURCE, jti: 't2', reason: 'r' }, { id: '2' }),
    ).rejects.toMatchObject({ code: 'emit-failed' });
    const admin = kafka.admin();
    await admin.connect();
    await ensureTopics(admin, [{ topic: `rescind.events.${name}`, partitions: 1 }]);
    await admin.disconnect();
    await sut.flush();
    expect((await readAll(name)).flat().map(idOf)).toEqual([1, 2]);
    expect(told).toEqual([]);
    await sut.close();
  }, 60_000);
});
