import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { controlTopic, revocationsTopic } from '../../../src/feeds/index.js';
import { hold } from '../../support/hold.js';
import { ownKafka, uniqueName } from '../../support/services.js';
import { spawnPublisher } from './publisher.js';
import {
  blockOf,
  createWorld,
  firstTold,
  held,
  numbers,
  seqOf,
  tenantRecord,
  until,
  type World,
} from './topics-fixture.js';

const TEST_TIMEOUT_MS = 120_000;

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.end());

const cursorOf = async (topic: string): Promise<number> =>
  Number(
    (await world.pool.query<{ seq: string }>('SELECT seq FROM topic_cursor WHERE topic = $1', [topic])).rows[0]?.seq ??
      -1,
  );

describe('publishing', () => {
  it(
    'repeats the records of a process that was killed before it stored its position, and skips none',
    async () => {
      await world.append(tenantRecord(), blockOf('alice'));
      const first = await spawnPublisher(world, 'topics');
      await until('the cursor is stored', async () => (await cursorOf(revocationsTopic(world.prefix, 'acme'))) === 2);
      const letGo = await hold(world.pool, 'SELECT FROM topic_cursor FOR UPDATE');
      await world.append(blockOf('bob'), blockOf('carol'));
      await world.published();
      await first.kill();
      await letGo();
      expect(await cursorOf(revocationsTopic(world.prefix, 'acme'))).toBe(2);

      await spawnPublisher(world, 'topics');
      await world.append(blockOf('dave'));
      await world.published();
      await until('the cursor is stored', async () => (await cursorOf(revocationsTopic(world.prefix, 'acme'))) === 5);
      expect(await world.controlSeqs()).toEqual(numbers(5));
      const told = await world.revocations();
      expect(told.map(seqOf)).toEqual([2, 3, 4, 3, 4, 5]);
      expect(firstTold(told).map(seqOf)).toEqual([2, 3, 4, 5]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'is done by one of two processes; if it is stopped the other takes over, and the first changes nothing when it goes on',
    async () => {
      await world.append(tenantRecord());
      const first = await spawnPublisher(world, 'topics');
      await until('the first one publishes', first.leads);
      const second = await spawnPublisher(world, 'topics');
      const stream = (async (): Promise<void> => {
        for (const nth of numbers(150)) await world.append(blockOf(`u-${nth}`));
      })();
      await until('some are published', async () => ((await world.reader.end(controlTopic(world.prefix))) ?? 0n) > 20n);
      expect(await second.leads()).toBe(false);
      first.signal('SIGSTOP');
      await first.terminate();
      await until('the second one publishes', second.leads);
      await stream;
      await world.published();
      first.signal('SIGCONT');
      for (const nth of numbers(50)) await world.append(blockOf(`v-${nth}`));
      await world.published();
      expect(await second.leads()).toBe(true);
      expect(await first.leads()).toBe(false);
      await second.kill();
      await until('the first one publishes again', first.leads);
      await world.append(blockOf('last'));
      await world.published();
      expect(await world.controlSeqs()).toEqual(numbers(202));
      expect(firstTold(await world.revocations()).map(seqOf)).toEqual(numbers(202, 2));
      expect(held(await world.revocations()).size).toBe(201);
    },
    TEST_TIMEOUT_MS,
  );

  it('is refused by the brokers after another process has taken over, even in the middle of a transaction', async () => {
    const topic = uniqueName('fenced');
    const writer = () => world.kafka.topicWriter(topic);
    const [first, second] = [writer(), writer()];
    world.onEnd(() => Promise.all([first.close(), second.close()]));
    await first.connect();
    await first.ensure([{ topic, partitions: 1 }]);
    const say = (value: string): ReadonlyMap<string, { key: string; value: string }[]> =>
      new Map([[topic, [{ key: value, value }]]]);
    await first.publish(say('one'));
    await second.connect();
    await second.publish(say('two'));
    await expect(first.publish(say('stale'))).rejects.toThrow(/epoch/);
    await second.publish(say('three'));
    const keys: (string | null)[] = [];
    for await (const records of world.reader.read(topic)) keys.push(...records.map(({ key }) => key));
    expect(keys).toEqual(['one', 'two', 'three']);
  });

  it('publishes everything again to a tenant’s topic that was deleted and created again', async () => {
    const topic = revocationsTopic(world.prefix, 'acme');
    await world.append(tenantRecord(), blockOf('alice'), blockOf('bob'));
    const feeds = await world.feed();
    await world.published();
    await until('the cursor is stored', async () => (await cursorOf(topic)) === 3);
    await feeds.stop();
    const admin = world.client.admin();
    await admin.connect();
    world.onEnd(() => admin.disconnect());
    await admin.deleteTopics({ topics: [topic] });
    await until('the topic is gone', async () => !(await admin.listTopics()).includes(topic));
    await world.feed();
    await until('it is told again', async () => held(await world.revocations()).size === 2);
  });
});

describe('publishing to a broker that is restarted', () => {
  it(
    'continues in order',
    async () => {
      const broker = await ownKafka();
      await broker.start();
      const other = await createWorld({ brokers: broker.brokers });
      try {
        await other.append(tenantRecord(), blockOf('alice'));
        const feeds = await other.feed();
        await other.published();
        broker.kill();
        for (const nth of numbers(30)) await other.append(blockOf(`u-${nth}`));
        await until('it is noticed', async () =>
          /rescind_topic_feed_errors_total [1-9]/.test(await feeds.metrics.text()),
        );
        await broker.start();
        await other.append(blockOf('last'));
        await other.published();
        expect(await other.controlSeqs()).toEqual(numbers(33));
        expect(firstTold(await other.revocations()).map(seqOf)).toEqual(numbers(33, 2));
        await until(
          'nothing lags',
          async () => !/rescind_topic_feed_lag_records\{[^}]*\} [1-9]/.test(await feeds.metrics.text()),
        );
        expect(await feeds.metrics.text()).toContain(
          `rescind_topic_feed_lag_records{topic="${other.prefix}.control"} 0`,
        );
      } finally {
        await other.end();
        await broker.remove();
      }
    },
    TEST_TIMEOUT_MS,
  );
});
