import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { cleanUp } from '../support/cleanups.js';
import { createTestDatabase, ownKafka } from '../support/services.js';
import { deploy, until, type Deployment } from './deployment.js';
import { createJudge } from './judge.js';
import { createOperator } from './operator.js';
import { spoilBatch } from './record-batches.js';
import type { Sent } from './traffic.js';

const TEST_TIMEOUT_MS = 90_000;

const cleanups = cleanUp(afterEach);

async function deployed() {
  const kafka = await ownKafka();
  cleanups.push(() => kafka.remove());
  await kafka.start();
  const database = await createTestDatabase();
  cleanups.push(() => database.drop());
  const deployment = await deploy(database.url, { brokers: kafka.brokers });
  cleanups.push(() => deployment.stop());
  const operator = async () => {
    const made = await createOperator(deployment);
    cleanups.push(() => made.end());
    return made;
  };
  return { kafka, deployment, operator, data: join(kafka.directory, 'data') };
}

const stops = async ({
  pool,
}: Deployment): Promise<{ topic: string; partition: number; stopped: string; next_offset: string }[]> =>
  (
    await pool.query(
      'SELECT topic, partition, stopped, next_offset FROM kafka_offset WHERE stopped IS NOT NULL ORDER BY topic, partition',
    )
  ).rows;

const gaps = async ({ pool }: Deployment): Promise<object[]> =>
  (
    await pool.query<{ data: object }>(
      `SELECT convert_from(bytes, 'UTF8')::jsonb->'data' AS data FROM entry JOIN payload USING (tenant, ix) WHERE type = 'dev.rescind.log.gap.v1'`,
    )
  ).rows.map(({ data }) => data);

describe('Kafka', () => {
  it(
    'is killed in the middle of a batch and started again: every event is stored once',
    async () => {
      const { kafka, deployment } = await deployed();
      const { sendUntilMidBatch, expectWhole, everythingDealtWith, outboxPaid, traffic } = createJudge(deployment);
      const sent = traffic(9, 250);
      const pending = [...sent];
      await deployment.start();
      await sendUntilMidBatch({ sent, pending }, sent.length / 4);
      kafka.kill();
      await kafka.start();
      await deployment.send(pending);
      await until(() => everythingDealtWith(sent));
      await until(outboxPaid);
      await expectWhole(sent);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'is restored to a state before the database’s: no event is lost, its partitions stop, and an operator can resume them',
    async () => {
      const { kafka, deployment, operator, data } = await deployed();
      const { expectWhole, everythingDealtWith, outboxPaid, traffic } = createJudge(deployment);
      const sent = traffic(21, 250);
      const [kept, lost, later] = thirds(sent);
      await deployment.send(kept);
      await kafka.stop();
      await cp(data, `${data}-saved`, { recursive: true });
      await kafka.start();
      await deployment.start();
      await deployment.send(lost);
      await until(() => everythingDealtWith([...kept, ...lost]));
      await deployment.kill();
      await kafka.stop();
      await rm(data, { recursive: true });
      await cp(`${data}-saved`, data, { recursive: true });
      await kafka.start();

      await deployment.start();
      await until(async () => (await stops(deployment)).length > 0);
      for (const { stopped } of await stops(deployment)) expect(stopped).toMatch(/^beyond-the-end: /);
      await deployment.send(later);
      const { partitions, asker, resumeAll } = await operator();
      await until(async () => {
        await resumeAll('earliest', 'the broker was restored');
        return (await partitions.list(asker)).every(({ lag, stopped }) => lag === '0' && stopped === null);
      });
      await until(outboxPaid);
      await expectWhole(sent);
    },
    TEST_TIMEOUT_MS,
  );
});

describe('a record set that cannot be read', () => {
  /** Three sends, of which the second is one batch of one partition, and is damaged. */
  async function damaged(where: 'between' | 'last', damage: 'record' | 'length') {
    const { kafka, deployment, operator, data } = await deployed();
    const judge = createJudge(deployment);
    const all = judge.traffic(11, 220);
    const doomed = all.filter(({ to, kind }) => to === 'chat' && kind === 'good').slice(0, 5);
    const sent = all.filter((one) => !doomed.includes(one) && !doomed.some(({ event }) => event!.id === one.event?.id));
    const half = sent.length >> 1;
    await deployment.send(sent.slice(0, half));
    const { topic } = deployment.chat;
    const holding = Number(
      (await deployment.admin.fetchTopicOffsets(topic)).find(({ partition }) => partition === 1)!.high,
    );
    await deployment.sendTo(
      topic,
      doomed.map(({ message }) => ({ ...message, partition: 1 })),
    );
    if (where === 'between') await deployment.send(sent.slice(half));
    // A broker does not start on a log that it cannot walk through; one that runs has read it before.
    if (damage === 'record') await kafka.stop();
    const { offset, records } = await spoilBatch(join(data, `${topic}-1`), holding, damage);
    expect([offset, records]).toEqual([holding, doomed.length]);
    if (damage === 'record') await kafka.start();
    await deployment.start();
    return {
      deployment,
      operator,
      judge,
      sent,
      rest: where === 'last' ? sent.slice(half) : [],
      topic,
      offset,
      records,
    };
  }

  it(
    'is skipped if a sound record set follows: the ledger records the gap, and all other events are stored',
    async () => {
      const { deployment, judge, sent, topic, offset, records } = await damaged('between', 'record');
      await until(async () => (await judge.dealtWith()) === sent.length + records);
      expect(await stops(deployment)).toEqual([]);
      const reason = `the record set at offset ${offset} cannot be read (checksum)`;
      expect(await gaps(deployment)).toEqual([
        { topic, partition: 1, from_offset: String(offset), to_offset: String(offset + records), reason },
      ]);
      await until(judge.outboxPaid);
      await judge.expectWhole(sent);
    },
    TEST_TIMEOUT_MS,
  );

  it.each<[what: string, where: 'between' | 'last', damage: 'record' | 'length', problem: string]>([
    ['as the last of its log', 'last', 'record', 'checksum'],
    ['whose length is wrong, so that the broker itself cannot read on,', 'between', 'length', 'broker'],
  ])(
    '%s stops only its partition, until an operator resumes it',
    async (_what, where, damage, problem) => {
      const { deployment, operator, judge, sent, rest, topic, offset, records } = await damaged(where, damage);
      await until(async () => (await stops(deployment)).length > 0);
      expect(await stops(deployment)).toEqual([
        {
          topic,
          partition: 1,
          stopped: `unreadable: the record set at offset ${offset} cannot be read (${problem})`,
          next_offset: String(offset),
        },
      ]);
      const { partitions, asker } = await operator();
      await until(async () =>
        (await partitions.list(asker)).every(
          ({ lag, partition, topic: of }) => lag === '0' || (of === topic && partition === 1),
        ),
      );
      // The broker finds nothing behind such a place in the same file: another one is begun.
      if (damage === 'length') await deployment.beginSegment(topic);
      const decision = {
        at: where === 'last' ? BigInt(offset + records) : ('latest' as const),
        reason: 'the disk lost it',
      };
      const resumed = await partitions.resume(asker, topic, 1, decision);
      expect(resumed).toMatchObject({
        stopped: null,
        skipped: { from_offset: String(offset), to_offset: resumed.next_offset },
      });
      await expect(partitions.resume(asker, topic, 1, decision)).rejects.toMatchObject({ code: 'edit-conflict' });
      expect(await gaps(deployment)).toEqual([
        expect.objectContaining({ partition: 1, from_offset: String(offset), reason: 'the disk lost it' }),
      ]);

      // The source sends again the records that stood behind it in the log.
      await deployment.send(where === 'last' ? rest : sent.slice(sent.length >> 1));
      await until(async () =>
        (await partitions.list(asker)).every(({ lag, stopped }) => lag === '0' && stopped === null),
      );
      await until(judge.outboxPaid);
      if (where === 'last') await judge.expectWhole(sent);
      else await judge.expectHeld(sent);
    },
    TEST_TIMEOUT_MS,
  );
});

function thirds(sent: readonly Sent[]): [Sent[], Sent[], Sent[]] {
  const third = Math.floor(sent.length / 3);
  return [sent.slice(0, third), sent.slice(third, 2 * third), sent.slice(2 * third)];
}
