import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { lastNews, NEWS_KEPT_MS, readNews, tellNews, type NewsRead } from '../../../src/findings/index.js';
import { inTransaction, onConnection } from '../../../src/platform/postgres/index.js';
import { ACME, GLOBEX } from '../query/history.js';
import { issued, MONDAY, startWorld, used, type World } from './world.js';

const DAY = 86_400;
const from = (client_address: string) => ({ client_address });

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const read = async (after = 0n) => readNews({ pool: world.pool, tenant: ACME, after });
const plain = ({ news }: NewsRead) => news.map(({ seq, what }) => [Number(seq), what]);
/** A token of an agent that comes from a second network `times` times. */
const stolen = (jti: string, at: number, times = 1) =>
  Array.from({ length: times }, (_, nth) => [
    used(jti, at + 20 * nth + 10, from('192.0.2.7')),
    used(jti, at + 20 * nth + 20, from('203.0.113.66')),
  ]).flat();

describe('news of findings', () => {
  it('tell of a new finding once, of its growth when its count has doubled, and of its end', async () => {
    const [ann] = await world.after(
      'token-from-two-networks',
      issued('ann-1', MONDAY, { user: 'ann', client: 'bot', agent: 'bot-1' }),
      ...stolen('ann-1', MONDAY),
    );
    const opened = await read();
    expect(opened).toEqual({
      news: [
        {
          seq: 1n,
          finding: ann!.id,
          what: 'opened',
          atMs: expect.any(Number),
          kind: 'token-from-two-networks',
          severity: 'high',
        },
      ],
      missed: 0n,
    });
    const counts: number[] = [ann!.count];
    for (let nth = 1; nth <= 6; nth++) {
      const [grown] = await world.after('token-from-two-networks', ...stolen('ann-1', MONDAY + 60 * nth));
      counts.push(grown!.count);
    }
    /** Counts at which the news told: the first, and each that is twice what was told before. */
    let told = 0;
    const expected = counts.flatMap((count) => {
      if (count < 2 * told || count === told) return [];
      told = count;
      return [count];
    });
    expect(expected.length).toBeGreaterThan(1);
    expect(expected.length).toBeLessThan(counts.length);
    expect(plain(await read())).toEqual(expected.map((_, nth) => [nth + 1, nth === 0 ? 'opened' : 'grown']));
    const before = await lastNews({ pool: world.pool, tenant: ACME });
    // A month later something else happens; by then the finding is quiet.
    await world.after('long-lived-token', issued('bob-1', MONDAY + 32 * DAY, { user: 'bob', client: 'mail' }));
    const after = await read(before);
    expect(after.news.filter(({ finding }) => finding === ann!.id)).toMatchObject([{ what: 'resolved' }]);
    await world.after('token-from-two-networks', ...stolen('ann-1', MONDAY + 33 * DAY));
    const again = await read(await lastSeen(after));
    expect(again.news.filter(({ finding }) => finding === ann!.id)).toMatchObject([{ what: 'reopened' }]);
  });

  const lastSeen = async ({ news }: NewsRead) => news.at(-1)!.seq;

  it('belong to one tenant', async () => {
    expect((await read()).news.length).toBeGreaterThan(0);
    expect(await readNews({ pool: world.pool, tenant: GLOBEX, after: 0n })).toEqual({ news: [], missed: 0n });
  });

  it('have the order of their commits, without holes, whoever writes: a reader that goes on at the last seq misses none', async () => {
    const [finding] = await world.list('&kind=token-from-two-networks');
    const start = await lastNews({ pool: world.pool, tenant: ACME });
    const tell = { tenant: ACME, findings: [finding!.id], nowMs: Date.now(), what: 'state-changed' } as const;
    const seen: bigint[] = [];
    const reading = (async () => {
      while (seen.length < 5) {
        const { news, missed } = await readNews({
          pool: world.pool,
          tenant: ACME,
          after: seen.at(-1) ?? start,
          limit: 3,
        });
        expect(missed).toBe(0n);
        seen.push(...news.map(({ seq }) => seq));
      }
    })();
    await onConnection(world.pool, async (slow) => {
      await slow.query('BEGIN');
      await tellNews(slow, tell);
      const others = Array.from({ length: 4 }, (_, nth) =>
        inTransaction(world.pool, async (client) => {
          await tellNews(client, tell);
          if (nth === 2) throw new Error('rolled back');
        }).catch(() => undefined),
      );
      expect((await read(start)).news).toEqual([]);
      await tellNews(slow, tell);
      await slow.query('COMMIT');
      await Promise.all(others);
    });
    await reading;
    expect(seen).toEqual(Array.from({ length: 5 }, (_, nth) => start + BigInt(nth) + 1n));
  });

  it('go after their time, and a reader that comes later is told how many it missed', async () => {
    const [finding] = await world.list('&kind=token-from-two-networks');
    const before = await lastNews({ pool: world.pool, tenant: ACME });
    const later = Date.now() + NEWS_KEPT_MS + 60_000;
    await inTransaction(world.pool, (client) =>
      tellNews(client, { tenant: ACME, findings: [finding!.id], nowMs: later, what: 'state-changed' }),
    );
    const { news, missed } = await read();
    expect(news).toMatchObject([{ seq: before + 1n, what: 'state-changed' }]);
    expect(missed).toBe(before);
    expect((await read(before + 1n)).missed).toBe(0n);
  });
});
