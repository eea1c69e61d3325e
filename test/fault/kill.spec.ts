import { afterEach, describe, it } from '@jest/globals';
import { cleanUp } from '../support/cleanups.js';
import { createTestDatabase, ownPostgres, type TestDatabase } from '../support/services.js';
import { deploy, until } from './deployment.js';
import { createJudge } from './judge.js';

const TEST_TIMEOUT_MS = 150_000;

const cleanups = cleanUp(afterEach);

describe('ingest', () => {
  it(
    'has every event once, dense indexes and projections equal to a recount after its process was killed again and again in the middle of batches',
    async () => {
      const database: TestDatabase = await createTestDatabase();
      cleanups.push(() => database.drop());
      const deployment = await deploy(database.url);
      cleanups.push(() => deployment.stop());
      const { sendUntilMidBatch, expectWhole, everythingDealtWith, outboxPaid, traffic } = createJudge(deployment);
      const sent = traffic(3, 600);
      const pending = [...sent];
      for (const share of [0, 0.25, 0.5]) {
        await deployment.start();
        await sendUntilMidBatch({ sent, pending }, sent.length * share);
        await deployment.kill();
      }
      await deployment.start();
      await deployment.send(pending);
      await until(() => everythingDealtWith(sent));
      await until(outboxPaid);
      await expectWhole(sent);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'has every event once, dense indexes and projections equal to a recount after PostgreSQL was killed in the middle of batches, without a restart of ingest',
    async () => {
      const postgres = await ownPostgres();
      cleanups.push(() => postgres.remove());
      await postgres.start();
      const deployment = await deploy(postgres.url);
      cleanups.push(() => deployment.stop());
      const { sendUntilMidBatch, expectWhole, everythingDealtWith, outboxPaid, traffic } = createJudge(deployment);
      const sent = traffic(5, 300);
      const pending = [...sent];
      await deployment.start();
      await sendUntilMidBatch({ sent, pending }, sent.length / 3);
      postgres.kill();
      await deployment.send(pending);
      await postgres.start();
      await until(() => everythingDealtWith(sent));
      await until(outboxPaid);
      await expectWhole(sent);
    },
    TEST_TIMEOUT_MS,
  );
});
