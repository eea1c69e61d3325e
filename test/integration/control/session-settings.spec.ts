import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createControlSession } from '../../../src/control/follow/control-session.pg.js';
import { createTestDatabase, type TestDatabase } from '../../support/services.js';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

it('a session reads what is committed at each statement and waits for each commit, whatever the database’s settings say', async () => {
  const name = new URL(database.url).pathname.slice(1);
  for (const setting of ["default_transaction_isolation = 'serializable'", 'synchronous_commit = off'])
    await database.pool.query(`ALTER DATABASE ${name} SET ${setting}`);
  const session = createControlSession({
    url: database.url,
    channel: 'spec',
    onNotify: () => undefined,
    onLost: () => undefined,
    timeoutMs: 5_000,
  });
  const client = await session.open();
  const { rows } = await client.query(
    `SELECT current_setting('transaction_isolation') AS isolation, current_setting('synchronous_commit') AS commit`,
  );
  await session.close();
  expect(rows).toEqual([{ isolation: 'read committed', commit: 'on' }]);
});
