import { afterEach, describe, expect, it } from '@jest/globals';
import { cleanUp } from '../support/cleanups.js';
import { hold } from '../support/hold.js';
import { createTestDatabase } from '../support/services.js';
import { deploy, until } from './deployment.js';
import { createJudge } from './judge.js';

const TEST_TIMEOUT_MS = 90_000;
/** Long enough for a batch, short enough to see it end what is stuck. */
const STUCK_MS = 3_000;
const LONG_MS = 60_000;
/** Time that the other tenant's batch behind it may take on a busy machine. */
const SLACK_MS = 3_000;

const cleanups = cleanUp(afterEach);

describe('an ingesting process that stands still in the middle of a batch', () => {
  it.each([
    // It waits for the ledger's head when it is stopped: it is given the head, and keeps it.
    ['between two statements', 'SELECT FROM ledger_head FOR UPDATE', { transactionMs: STUCK_MS }],
    // It has the head, and its COPY waits for the table: it is given the table, and the server waits for the rows. No timeout of the server ends that.
    ['inside a COPY', 'LOCK TABLE payload IN SHARE MODE', { transactionMs: LONG_MS }],
  ])(
    '%s delays the others no longer than it may be silent, and stores nothing twice when it wakes',
    async (_where, obstacle, timeouts) => {
      const database = await createTestDatabase();
      cleanups.push(() => database.drop());
      const deployment = await deploy(database.url, { timeouts: { ...timeouts, idleInTransactionMs: STUCK_MS } });
      cleanups.push(() => deployment.stop());
      const { expectWhole, everythingDealtWith, outboxPaid, traffic } = createJudge(deployment);
      const sent = traffic(7, 250);
      const usage = sent.filter(({ event }) => event?.type === 'dev.rescind.access.allowed.v1');
      const [ofStuck, ofOther] = [usage.slice(0, 20), usage.slice(20, 40)];
      const rest = sent.filter((one) => !ofStuck.includes(one) && !ofOther.includes(one));
      const before = rest.splice(0, rest.length >> 1);
      await deployment.start();
      await until(async () => (await deployment.members()).size === 1);
      const [stuck] = (await deployment.members()).keys();
      await deployment.startAnother();
      await until(async () => (await deployment.members()).size === 2);
      const { topic } = deployment.chat;
      const partitions = await deployment.members();
      const partitionOfStuck = partitions.get(stuck!)![0]!;
      const partitionOfOther = [...partitions].find(([name]) => name !== stuck)![1][0]!;
      await deployment.send(before);
      await until(() => everythingDealtWith(before));
      await until(outboxPaid);

      const letGo = await hold(deployment.pool, obstacle);
      await deployment.sendTo(
        topic,
        ofStuck.map(({ message }) => ({ ...message, partition: partitionOfStuck })),
      );
      await until(deployment.isBlocked);
      process.kill(deployment.pid(), 'SIGSTOP');
      await letGo();
      const stuckSince = performance.now();
      expect(await deployment.isWriting()).toBe(true);
      const nextOf = async (): Promise<string> =>
        (
          await deployment.pool.query<{ next_offset: string }>(
            'SELECT next_offset FROM kafka_offset WHERE topic = $1 AND partition = $2',
            [topic, partitionOfOther],
          )
        ).rows[0]!.next_offset;
      const stoodAt = await nextOf();
      await deployment.sendTo(
        topic,
        ofOther.map(({ message }) => ({ ...message, partition: partitionOfOther })),
      );
      await until(async () => (await nextOf()) !== stoodAt);
      expect(performance.now() - stuckSince).toBeLessThan(STUCK_MS + SLACK_MS);

      await deployment.send(rest);
      await until(() => everythingDealtWith(sent));
      process.kill(deployment.pid(), 'SIGCONT');
      await until(outboxPaid);
      await expectWhole(sent);
    },
    TEST_TIMEOUT_MS,
  );
});
