import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CompressionTypes, type Kafka } from 'kafkajs';
import { startLocalKafka } from '../../../src/platform/embedded/index.js';
import { createClient } from '../../../src/platform/kafka/client.kafka.js';
import { ensureTopics } from '../../../src/platform/kafka/topics.kafka.js';
import { isAlive, startOrphan, untilGone } from '../../support/orphans.js';
import { KAFKA_LIBRARIES, ownKafka, testBrokers, testLog, uniqueName } from '../../support/services.js';

const TOPIC = 'kept';

function connect(brokers: readonly string[]): Kafka {
  return createClient({ brokers, clientId: 'spec', log: testLog() });
}

async function createTopic(kafka: Kafka, topic: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await ensureTopics(admin, [{ topic, partitions: 1 }]);
  await admin.disconnect();
}

async function publish(kafka: Kafka, topic: string, values: string[], compression: CompressionTypes): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, compression, acks: -1, messages: values.map((value) => ({ value })) });
  await producer.disconnect();
}

async function readAll(kafka: Kafka, topic: string, expected: number): Promise<string[]> {
  const consumer = kafka.consumer({ groupId: uniqueName('spec') });
  const values: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message }) => {
          values.push(String(message.value));
          if (values.length === expected) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return values;
}

describe('the local Kafka', () => {
  let sut: Awaited<ReturnType<typeof ownKafka>>;
  beforeAll(async () => {
    sut = await ownKafka();
    await sut.start();
    await createTopic(connect(sut.brokers), TOPIC);
    await publish(connect(sut.brokers), TOPIC, ['a', 'b'], CompressionTypes.None);
  });
  afterAll(() => sut.remove());

  const itOnLinux = process.platform === 'linux' ? it : it.skip;
  itOnLinux('is given nothing of our environment but what it needs', async () => {
    const secret = uniqueName('secret');
    process.env['DATABASE_URL'] = secret;
    try {
      await sut.start();
    } finally {
      delete process.env['DATABASE_URL'];
    }
    const { pid } = JSON.parse(await readFile(join(sut.directory, 'broker.json'), 'utf8')) as { pid: number };
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
    expect(environment).toContain('LC_ALL=C');
    expect(environment).not.toContain(secret);
  });

  it("keeps a topic's records and its address across a restart", async () => {
    const { brokers } = sut;
    await sut.stop();
    await sut.start();
    expect(sut.brokers).toEqual(brokers);
    expect(await readAll(connect(sut.brokers), TOPIC, 2)).toEqual(['a', 'b']);
  });

  it('keeps acknowledged records when it is killed', async () => {
    await publish(connect(sut.brokers), TOPIC, ['c'], CompressionTypes.None);
    sut.kill();
    await sut.start();
    expect(await readAll(connect(sut.brokers), TOPIC, 3)).toEqual(['a', 'b', 'c']);
  });

  it('refuses a directory that a living process uses', async () => {
    await expect(
      startLocalKafka({ directory: sut.directory, libraries: KAFKA_LIBRARIES, log: testLog() }),
    ).rejects.toMatchObject({
      code: 'kafka-unavailable',
      detail: expect.stringContaining(String(process.pid)),
    });
  });

  it('stops the broker that a killed process left behind, and takes its data over', async () => {
    await sut.stop();
    const orphan = await startOrphan('kafka', sut.directory, { guarded: false });
    expect(isAlive(orphan)).toBe(true);
    await sut.start();
    expect(isAlive(orphan)).toBe(false);
    expect(await readAll(connect(sut.brokers), TOPIC, 3)).toEqual(['a', 'b', 'c']);
  });

  it('ends with its parent, even if that is killed', async () => {
    await sut.stop();
    await untilGone(await startOrphan('kafka', sut.directory, { guarded: true }));
  });
});

describe("the run's Kafka", () => {
  it('makes no topic by itself', async () => {
    const topic = uniqueName('nobody-made');
    const kafka = createClient({ brokers: testBrokers(), clientId: 'spec', log: testLog(), retry: { retries: 0 } });
    const producer = kafka.producer({ allowAutoTopicCreation: true });
    const admin = kafka.admin();
    await Promise.all([producer.connect(), admin.connect()]);
    await expect(producer.send({ topic, messages: [{ value: 'x' }] })).rejects.toThrow(
      'does not host this topic-partition',
    );
    expect(await admin.listTopics()).not.toContain(topic);
    await Promise.all([producer.disconnect(), admin.disconnect()]);
  });

  it('carries gzip', async () => {
    const topic = uniqueName('gzip');
    const kafka = connect(testBrokers());
    await createTopic(kafka, topic);
    await publish(kafka, topic, ['x'.repeat(10_000)], CompressionTypes.GZIP);
    expect(await readAll(kafka, topic, 1)).toEqual(['x'.repeat(10_000)]);
  });
});

describe('a machine that lacks what Kafka needs', () => {
  const { PATH, JAVA_HOME } = process.env;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
  });
  afterEach(() => {
    process.env['PATH'] = PATH;
    if (JAVA_HOME !== undefined) process.env['JAVA_HOME'] = JAVA_HOME;
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it.each([
    ['Java', [] as string[]],
    ['Maven', ['java']],
  ])('is told what to install without %s', async (missing, present) => {
    const bin = await mkdtemp(join(directory, 'bin-'));
    for (const tool of present)
      await symlink(execFileSync('which', [tool], { encoding: 'utf8' }).trim(), join(bin, tool));
    process.env['PATH'] = bin;
    delete process.env['JAVA_HOME'];
    await expect(startLocalKafka({ directory, log: testLog() })).rejects.toMatchObject({
      code: 'kafka-unavailable',
      kind: 'unavailable',
      detail: expect.stringMatching(
        `^There is no ${missing}\\..*Java 17.*Maven.*docker/compose\\.yml.*KAFKA_BROKERS=none`,
      ),
    });
  });
});
