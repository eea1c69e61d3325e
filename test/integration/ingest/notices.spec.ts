import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Source } from '../../../src/control/index.js';
import { createQuarantineTopic, QUARANTINE_TOPIC, type QuarantineTopic } from '../../../src/ingest/index.js';
import { createClient } from '../../../src/platform/kafka/client.kafka.js';
import { createKafka } from '../../../src/platform/kafka/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { testBrokers, testLog, uniqueName } from '../../support/services.js';
import { until } from './kafka-fixture.js';

type Refused = Parameters<QuarantineTopic['tell']>[0][number];

const options = { brokers: testBrokers(), clientId: 'spec-notices', log: testLog() };
const client = createClient(options);
const topic = uniqueName('notices');
const seen: Record<string, unknown>[] = [];
const consumer = client.consumer({ groupId: uniqueName('notices') });
const sut = createQuarantineTopic({ kafka: createKafka(options), log: testLog(), metrics: createMetrics() });

const refused = (code: Refused['rejected']['code'], partition: number, offset: bigint): Refused => ({
  rejected: {
    accepted: false,
    code,
    detail: 'spec',
    source: { id: 's1', name: 'idp', uri: 'https://idp.example/events' } as Source,
    arrived: { mode: 'binary', headers: [], bytes: Buffer.from('{"secret":'), door: { kind: 'kafka', topic } },
    position: { offset },
  },
  offset: { cluster: 'c', topic, partition, held: 0n, next: 10n, lastOffset: null, lastSha256: null },
});

beforeAll(async () => {
  sut.tell([refused('malformed-json', 9, 0n)]);
  await until(async () => {
    const admin = client.admin();
    await admin.connect();
    const topics = await admin.listTopics();
    await admin.disconnect();
    return topics.includes(QUARANTINE_TOPIC);
  });
  await consumer.connect();
  await consumer.subscribe({ topic: QUARANTINE_TOPIC, fromBeginning: true });
  await consumer.run({
    async eachMessage({ message }) {
      const notice = JSON.parse(message.value!.toString()) as Record<string, unknown>;
      if (notice['topic'] === topic) seen.push(notice);
    },
  });
  await until(() => seen.length === 1);
});
afterAll(async () => {
  await consumer.disconnect();
  await sut.stop();
});

it('a notice has the reason and positions of all records refused alike, and nothing of their content', async () => {
  sut.tell([
    refused('malformed-json', 0, 3n),
    refused('malformed-json', 0, 4n),
    refused('wrong-issuer', 0, 5n),
    refused('malformed-json', 1, 0n),
    refused('malformed-json', 0, 9n),
  ]);
  await until(() => seen.length === 4);
  const place = { source: 'https://idp.example/events', door: 'kafka', topic };
  expect(seen.slice(1)).toEqual([
    { ...place, code: 'malformed-json', partition: 0, count: 3, offset: '3', last_offset: '9' },
    { ...place, code: 'wrong-issuer', partition: 0, count: 1, offset: '5', last_offset: '5' },
    { ...place, code: 'malformed-json', partition: 1, count: 1, offset: '0', last_offset: '0' },
  ]);
});
