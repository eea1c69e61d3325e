import { afterEach, describe, expect, it } from '@jest/globals';
import { cleanUp } from '../support/cleanups.js';
import { createTestDatabase } from '../support/services.js';
import { until } from './deployment.js';
import { createClient } from './node-client.js';
import { createReleases } from './releases.js';

const TEST_TIMEOUT_MS = 240_000;
const NEXT_MIGRATION = 'NextRelease1900000000000';
/** Rounds of traffic between two steps of the upgrade, and after the last. */
const ROUNDS = 3;

const cleanups = cleanUp(afterEach);

describe('an upgrade by restarting one node after the other', () => {
  it(
    'loses no event, refuses no introspection, and leaves nothing active that was revoked, while nodes of two releases work on one database',
    async () => {
      const database = await createTestDatabase();
      cleanups.push(() => database.drop());
      const releases = await createReleases(database.url);
      cleanups.push(() => releases.end());
      const client = createClient(releases);
      expect((await releases.command('this', 'migrate')).code).toBe(0);
      await releases.start('a', 'this');
      await client.register(await releases.adminKey('a'));
      await releases.start('b', 'this');

      const live: string[] = [];
      const revoked: string[] = [];
      const failures: unknown[] = [];
      const upgraded = new AbortController();
      let rounds = 0;
      async function round(): Promise<void> {
        const [keeps, loses] = [await client.issue(), await client.issue()];
        expect([await client.isActive(keeps), await client.isActive(loses)]).toEqual([true, true]);
        await client.revoke(loses);
        revoked.push(loses);
        live.push(keeps);
        for (const token of revoked.slice(-10))
          expect([
            await client.isActive(token),
            await client.isActiveAt('a', token),
            await client.isActiveAt('b', token),
          ]).toEqual([false, false, false]);
        rounds += 1;
      }
      const traffic = (async () => {
        while (!upgraded.signal.aborted) await round().catch((error: unknown) => failures.push(error));
      })();
      const someRounds = async (): Promise<void> => {
        const enough = rounds + ROUNDS;
        await until(async () => rounds >= enough || failures.length > 0);
      };

      await someRounds();
      expect(await releases.command('next', 'migrate', '--check')).toEqual({
        code: 1,
        text: expect.stringContaining(NEXT_MIGRATION),
      });
      expect(await releases.command('next', 'migrate')).toEqual({
        code: 0,
        text: expect.stringContaining(NEXT_MIGRATION),
      });
      await someRounds();
      for (const node of ['a', 'b'] as const) {
        expect(await releases.stop(node)).toBe(0);
        await someRounds();
        await releases.start(node, 'next');
        await someRounds();
      }
      upgraded.abort();
      await traffic;
      expect(failures).toEqual([]);
      expect(client.retried()).toBeGreaterThan(0);

      // Every event that was answered is in the ledger, and both nodes of the next release agree about every token.
      const { rows } = await database.pool.query<{ tokens: string }>('SELECT count(*) AS tokens FROM token');
      expect(Number(rows[0]!.tokens)).toBe(live.length + revoked.length);
      for (const node of ['a', 'b'] as const) {
        for (const token of live) expect(await client.isActiveAt(node, token)).toBe(true);
        for (const token of revoked) expect(await client.isActiveAt(node, token)).toBe(false);
      }
      // A node of the release before does not come back.
      expect(await releases.command('this', 'serve')).toEqual({
        code: 1,
        text: expect.stringContaining('schema-newer'),
      });
    },
    TEST_TIMEOUT_MS,
  );
});
