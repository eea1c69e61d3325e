import { afterEach, describe, expect, it } from '@jest/globals';
import type { Source } from '../../src/control/index.js';
import type { CloudEvent } from '../../src/contracts/index.js';
import { buildEvent, toKafkaMessage } from '../../src/emit/index.js';
import { cleanUp } from '../support/cleanups.js';
import { createTestDatabase } from '../support/services.js';
import { access } from '../support/stage.js';
import { deploy, until, type Deployment, type DeployOptions } from './deployment.js';
import { createJudge } from './judge.js';
import { createOperator } from './operator.js';
import type { Sent } from './traffic.js';

const TEST_TIMEOUT_MS = 90_000;
/** Beyond the spec's own limit: no timeout of the server's lets the held batch go. */
const PATIENT = { statementMs: 2 * TEST_TIMEOUT_MS, lockMs: 2 * TEST_TIMEOUT_MS, transactionMs: 2 * TEST_TIMEOUT_MS };
/** Sends while a batch is held up: more than a partition hands over before it waits. */
const HELD_SENDS = 20;

const cleanups = cleanUp(afterEach);

async function deployed(options?: DeployOptions): Promise<Deployment> {
  const database = await createTestDatabase();
  cleanups.push(() => database.drop());
  const deployment = await deploy(database.url, options);
  cleanups.push(() => deployment.stop());
  return deployment;
}

describe('a group of ingesting processes', () => {
  it(
    'hands over partitions at once when a second process joins while the first is held up in a batch, and stores every event once',
    async () => {
      const deployment = await deployed({ timeouts: PATIENT });
      const { expectWhole, everythingDealtWith, outboxPaid, traffic } = createJudge(deployment);
      const sent = traffic(23, 250);
      const third = Math.floor(sent.length / 3);
      await deployment.start();
      await deployment.send(sent.slice(0, third));
      await until(() => everythingDealtWith(sent.slice(0, third)));
      const letGo = await deployment.holdLedger();
      const slice = Math.ceil(third / HELD_SENDS);
      for (let at = third; at < 2 * third; at += slice)
        await deployment.send(sent.slice(at, Math.min(at + slice, 2 * third)));
      await until(deployment.isBlocked);
      await deployment.startAnother();
      await until(async () => (await deployment.members()).size === 2);
      expect(await deployment.isBlocked()).toBe(true);
      await letGo();
      await deployment.send(sent.slice(2 * third));
      await until(() => everythingDealtWith(sent));
      await until(outboxPaid);
      await expectWhole(sent);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'stores every event once when one of three processes is killed in the middle of a batch',
    async () => {
      const deployment = await deployed();
      const { sendUntilMidBatch, expectWhole, everythingDealtWith, outboxPaid, traffic } = createJudge(deployment);
      const sent = traffic(25, 300);
      const pending = [...sent];
      await deployment.start();
      await deployment.startAnother();
      await deployment.startAnother();
      await until(async () => (await deployment.members()).size === 3);
      await sendUntilMidBatch({ sent, pending }, sent.length / 4);
      await deployment.kill();
      await deployment.send(pending);
      await until(() => everythingDealtWith(sent));
      await until(outboxPaid);
      await expectWhole(sent);
    },
    TEST_TIMEOUT_MS,
  );
});

describe('topics under running processes', () => {
  const usage = ({ uri }: Source, n: number): Sent => {
    const event = buildEvent('access.allowed', {
      source: uri,
      id: `extra-${n}`,
      data: access({ token: { sha256: 'A'.repeat(43) } }),
    }) as CloudEvent;
    return { to: 'chat', kind: 'good', event, message: toKafkaMessage(event, { mode: 'binary' }) };
  };

  it(
    'sources come and go with their topics: ingest of all others goes on, and every event is stored once',
    async () => {
      const deployment = await deployed();
      const { expectWhole, everythingDealtWith, outboxPaid, traffic } = createJudge(deployment);
      const sent = traffic(27, 250);
      const pending = [...sent];
      const extra: Sent[] = [];
      const sources: Source[] = [];
      await deployment.start();
      await deployment.startAnother();
      for (let round = 0; round < 3; round += 1) {
        const source = await deployment.register();
        sources.push(source);
        await deployment.send(pending.splice(0, 200));
        await until(async () => (await deployment.admin.listTopics()).includes(source.topic));
        extra.push(usage(source, round));
        await deployment.sendTo(source.topic, [extra.at(-1)!.message]);
        await until(() => everythingDealtWith([...sent.slice(0, sent.length - pending.length), ...extra]));
        await deployment.disable(source);
        await deployment.admin.deleteTopics({ topics: [source.topic] });
      }
      await deployment.send(pending);
      await until(() => everythingDealtWith([...sent, ...extra]));
      await until(outboxPaid);
      await expectWhole([...sent, ...extra], sources);
      expect(await deployment.admin.listTopics()).not.toContain(sources.at(-1)!.topic);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'a topic is deleted and created again: only its partitions stop, and an operator can resume them',
    async () => {
      const deployment = await deployed();
      const { expectWhole, everythingDealtWith, outboxPaid, traffic } = createJudge(deployment);
      const sent = traffic(29, 250);
      const half = sent.slice(0, sent.length >> 1);
      const rest = sent.slice(half.length);
      const toIdp = rest.filter(({ to }) => to === 'idp');
      await deployment.start();
      await deployment.startAnother();
      await deployment.send(half);
      await until(() => everythingDealtWith(half));
      await deployment.admin.deleteTopics({ topics: [deployment.chat.topic] });
      await until(async () => !(await deployment.admin.listTopics()).includes(deployment.chat.topic));
      await deployment.send(toIdp);
      await until(() => everythingDealtWith([...half, ...toIdp]));
      await deployment.makeTopic('chat');
      await deployment.send(rest.filter(({ to }) => to === 'chat'));
      const stops = async () =>
        (
          await deployment.pool.query<{ topic: string; stopped: string }>(
            'SELECT topic, stopped FROM kafka_offset WHERE stopped IS NOT NULL',
          )
        ).rows;
      await until(async () => (await stops()).length === 3);
      for (const { topic, stopped } of await stops()) {
        expect(topic).toBe(deployment.chat.topic);
        expect(stopped).toMatch(/^(beyond-the-end|made-anew): /);
      }
      const { partitions, asker, resumeAll, end } = await createOperator(deployment);
      cleanups.push(end);
      await resumeAll('earliest', 'made anew on purpose');
      await until(async () =>
        (await partitions.list(asker)).every(({ lag, stopped }) => lag === '0' && stopped === null),
      );
      await until(outboxPaid);
      await expectWhole(sent);
    },
    TEST_TIMEOUT_MS,
  );
});
