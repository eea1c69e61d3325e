import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Kafka, KafkaMessage } from 'kafkajs';
import { createClient } from '../../../src/platform/kafka/client.kafka.js';
import { type UnreadableRecordSet } from '../../../src/platform/kafka/index.js';
import { unreadableOf } from '../../../src/platform/kafka/record-sets/fetch-response.kafka.js';
import { ensureTopics } from '../../../src/platform/kafka/topics.kafka.js';
import { ownKafka, testLog, uniqueName } from '../../support/services.js';
import { produceWithJava, type JavaRecord } from './java-kafka.js';

const CODECS = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;
const RECORDS: readonly JavaRecord[] = Array.from({ length: 500 }, (_, i) => ({
  key: `alice-${i}`,
  value:
    i % 100 === 7
      ? null
      : JSON.stringify({ iss: 'https://idp.example', jti: `gr-${i}`, note: 'grüße '.repeat(i % 50) }),
  headers: { ce_id: `event-${i}`, ce_type: 'dev.rescind.id-jag.issued.v1' },
}));

const BATCH_HEADER_BYTES = 61;

describe('record sets of a real broker', () => {
  let broker: Awaited<ReturnType<typeof ownKafka>>;
  let kafka: Kafka;
  beforeAll(async () => {
    broker = await ownKafka();
    await broker.start();
    kafka = createClient({ brokers: broker.brokers, clientId: 'spec', log: testLog() });
    const admin = kafka.admin();
    await admin.connect();
    const topics = [
      ...Object.keys(CODECS).map((topic) => ({ topic, partitions: 1 })),
      { topic: 'damaged', partitions: 2 },
    ];
    await ensureTopics(admin, topics);
    await admin.disconnect();
  });
  afterAll(() => broker.remove());

  const segmentOf = (topic: string, partition: number): string =>
    join(broker.directory, 'data', `${topic}-${partition}`, '00000000000000000000.log');

  it.each(Object.entries(CODECS))('reads what the Java producer compressed with %s', async (codec, id) => {
    await produceWithJava({ brokers: broker.brokers, topic: codec, codec, records: RECORDS });
    const segment = await readFile(segmentOf(codec, 0));
    expect(segment.readInt16BE(21) & 7).toBe(id);
    const read = await readUntil(kafka, [codec], ({ messages }) => messages.length === RECORDS.length);
    expect(read.messages.map(javaRecord)).toEqual(RECORDS);
  });

  it('goes on with the other partitions when one is damaged on disk, and tells which and where', async () => {
    const producer = kafka.producer();
    await producer.connect();
    const send = (partition: number, value: string): Promise<unknown> =>
      producer.send({ topic: 'damaged', messages: [{ partition, value }] });
    for (const value of ['a0', 'a1', 'a2']) await send(0, value);
    await send(1, 'b0');
    await producer.disconnect();
    await broker.stop();
    await flipLastByteOfBatch(segmentOf('damaged', 0), 1);
    await broker.start();

    const read = await readUntil(
      kafka,
      ['damaged'],
      ({ messages, unreadable }) => messages.length === 3 && unreadable.length === 1,
    );
    expect(read.messages.map(({ value }) => String(value)).sort()).toEqual(['a0', 'a2', 'b0']);
    expect(read.unreadable).toMatchObject([
      {
        code: 'record-set-unreadable',
        topic: 'damaged',
        partition: 0,
        problem: 'checksum',
        firstOffset: 1n,
        nextOffset: 2n,
      },
    ]);
  });
});

interface Read {
  readonly messages: KafkaMessage[];
  readonly unreadable: UnreadableRecordSet[];
}

/** Reads as ingest does: a batch's records up to one that cannot be read, then on from the place that the error names. */
async function readUntil(kafka: Kafka, topics: string[], isAll: (read: Read) => boolean): Promise<Read> {
  const read: Read = { messages: [], unreadable: [] };
  const consumer = kafka.consumer({ groupId: uniqueName('spec'), maxWaitTimeInMs: 50 });
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    // A fresh coordinator's answers crash the consumer too; from those it restarts.
    consumer.on(consumer.events.CRASH, ({ payload }) => void (payload.restart || reject(payload.error)));
    const eachBatch: NonNullable<Parameters<typeof consumer.run>[0]>['eachBatch'] = async ({
      batch,
      resolveOffset,
    }) => {
      for (const message of batch.messages) {
        const unreadable = unreadableOf(message);
        if (unreadable === undefined) {
          read.messages.push(message);
          resolveOffset(message.offset);
        } else {
          expect(() => message.value).toThrow(unreadable);
          read.unreadable.push(unreadable);
          consumer.seek({ topic: batch.topic, partition: batch.partition, offset: String(unreadable.nextOffset) });
        }
      }
      if (isAll(read)) resolve();
    };
    consumer.run({ eachBatchAutoResolve: false, eachBatch }).catch(reject);
  });
  await consumer.disconnect();
  return read;
}

function javaRecord({ key, value, headers }: KafkaMessage): JavaRecord {
  const names = Object.entries(headers ?? {}).map(([name, header]) => [name, String(header)]);
  return {
    key: String(key),
    value: value === null ? null : String(value),
    headers: Object.fromEntries(names) as Record<string, string>,
  };
}

async function flipLastByteOfBatch(path: string, index: number): Promise<void> {
  const bytes = await readFile(path);
  let at = 0;
  for (let i = 0; i < index; i += 1) at += 12 + bytes.readInt32BE(at + 8);
  const last = at + 12 + bytes.readInt32BE(at + 8) - 1;
  expect(last - at).toBeGreaterThan(BATCH_HEADER_BYTES);
  const file = await open(path, 'r+');
  await file.write(Buffer.from([bytes[last]! ^ 1]), 0, 1, last);
  await file.close();
}
