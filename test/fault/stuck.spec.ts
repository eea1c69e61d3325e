import { afterEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase } from '../support/services.js';
import { deploy, until } from './deployment.js';
import { createJudge } from './judge.js';

const TEST_TIMEOUT_MS = 90_000;
/** Long enough for a batch, short enough to see it end what is stuck. */
const TRANSACTION_MS = 3_000;
/** What the looking for it, and the other's batch behind it, may take on a busy machine. */
const SLACK_MS = 3_000;
/** How long a process that stands still is watched for whether it holds up the other. */
const LOOKS = 100;

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

describe('an ingesting process that stands still in the middle of a batch', () => {
  it(
    'holds up the others no longer than a transaction may last, and nothing is stored twice when it wakes',
    async () => {
      const database = await createTestDatabase();
      cleanups.push(() => database.drop());
      const deployment = await deploy(database.url, { transactionMs: TRANSACTION_MS });
      cleanups.push(() => deployment.stop());
      const { expectWhole, everythingDealtWith, outboxPaid, traffic, entries } = createJudge(deployment);
      const sent = traffic(7, 400);
      const pending = [...sent];
      await deployment.start();
      await deployment.startAnother();
      await until(async () => (await deployment.members()) === 2);

      // Stopped at any moment, until it was one at which the other waits behind it.
      let stoppedAt = 0;
      for (let blocks = false; !blocks; ) {
        await deployment.send(pending.splice(0, 20));
        process.kill(deployment.pid(), 'SIGSTOP');
        stoppedAt = performance.now();
        for (let look = 0; look < LOOKS && !blocks; look += 1) blocks = await deployment.isBlocked();
        if (!blocks) process.kill(deployment.pid(), 'SIGCONT');
        expect(pending.length).toBeGreaterThan(0);
      }
      const before = await entries();
      await until(async () => (await entries()) > before);
      expect(performance.now() - stoppedAt).toBeLessThan(TRANSACTION_MS + SLACK_MS);

      await deployment.send(pending);
      await until(() => everythingDealtWith(sent));
      process.kill(deployment.pid(), 'SIGCONT');
      await until(outboxPaid);
      await expectWhole(sent);
    },
    TEST_TIMEOUT_MS,
  );
});
