import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { RAS } from '../../conformance/parties.js';
import { until } from '../control/control-fixture.js';
import { askLease, askToken, freshId, HandGuard, openStream } from './feed-client.js';
import { GUARD, startFeedService, WIDE_GUARD, type Confirmed, type FeedService } from './feed-service.js';

const LEASE_MS = 4_000;
/** The longest time that a grant lasts. */
const GRANT_MS = 0.75 * LEASE_MS;
/** Limit for an order that nobody holds up: far below the end of a grant, also on a busy machine. */
const AT_ONCE_MS = 2_000;
const LATE_AFTER_MS = 2_000;
const CYCLE_MS = 500;

const user = (sub: string): object => ({ user: { iss: RAS, sub } });

describe('an order and the guards', () => {
  let service: FeedService;
  let guards: HandGuard[] = [];
  beforeAll(async () => {
    service = await startFeedService({ LEASE_SECONDS: String(LEASE_MS / 1_000) });
  });
  afterAll(() => service.stop());
  afterEach(async () => {
    for (const guard of guards) await guard.release();
    guards = [];
  });

  async function start(sub: string, caller = GUARD): Promise<{ guard: HandGuard; token: string }> {
    const token = await service.issue({ sub });
    const guard = await HandGuard.start(service.url, service.basic(caller), token);
    guards.push(guard);
    return { guard, token };
  }

  /** Orders, with the guard asked all the time; says when the order was answered. */
  async function orderUnderFire(guard: HandGuard, sub: string): Promise<Confirmed & { readonly answeredAt: number }> {
    const asking = setInterval(() => guard.answer(), 1);
    try {
      const confirmed = await service.order(user(sub));
      return { ...confirmed, answeredAt: performance.now() };
    } finally {
      clearInterval(asking);
    }
  }

  it('is answered when the guard has applied it, and counts the guard', async () => {
    const { guard, token } = await start('u-applied');
    expect(guard.answer()).toBe(true);
    const { seq, confirmed, ms, answeredAt } = await orderUnderFire(guard, 'u-applied');
    expect([guard.held, guard.answer()]).toEqual([BigInt(seq), undefined]);
    expect(guard.lastYesAt).toBeLessThan(answeredAt);
    expect(confirmed).toEqual({ nodes: 1, guards: 1, expired: 0 });
    expect(ms).toBeLessThan(AT_ONCE_MS);
    expect((await askToken(service.url, service.basic(GUARD), { token, held: seq })).text).toBe(
      '{"active":false,"rescind":{"recorded":true}}',
    );
    const counted = /^rescind_guards 1$/m;
    expect(await service.metricsWith(counted)).toMatch(counted);
  });

  it('leaves the token of another user alone, and the guard goes on saying yes', async () => {
    const { guard } = await start('u-other');
    const { seq } = await service.order(user('somebody-else'));
    expect([guard.held, guard.answer()]).toEqual([BigInt(seq), true]);
  });

  it('waits for a guard that receives nothing until its grant has ended, and no longer', async () => {
    const { guard } = await start('u-cut-off');
    guard.goSilent();
    const { confirmed, ms, answeredAt } = await orderUnderFire(guard, 'u-cut-off');
    expect(guard.lastYesAt).toBeGreaterThan(answeredAt - ms);
    expect(guard.lastYesAt).toBeLessThan(answeredAt);
    expect(ms).toBeLessThan(GRANT_MS + 3 * CYCLE_MS);
    expect(confirmed).toEqual({ nodes: 1, guards: 0, expired: 0 });
  });

  it('waits no longer for a guard that gives its grant back', async () => {
    const { guard } = await start('u-released');
    guard.hangs = true;
    const ordering = service.order(user('u-released'));
    await until('the guard has heard of it', () => guard.stream.held > guard.held);
    await guard.release();
    expect((await ordering).ms).toBeLessThan(AT_ONCE_MS);
  });

  it('is delayed once by a guard that renews without applying, and never again by that guard, under whatever id', async () => {
    const { guard } = await start('u-slow');
    const { guard: honest } = await start('u-honest', WIDE_GUARD);
    guard.hangs = true;
    const { ms, answeredAt } = await orderUnderFire(guard, 'u-slow');
    expect(guard.lastYesAt).toBeLessThan(answeredAt);
    // Late after two seconds, granted once more, refused with the renewal after it; then the last grant ends.
    expect(ms).toBeGreaterThan(LATE_AFTER_MS);
    expect(ms).toBeLessThan(LATE_AFTER_MS + CYCLE_MS + GRANT_MS + 3 * CYCLE_MS);

    const refused = guard.answers.at(-1)!;
    expect([refused.status, refused.body]).toEqual([429, { error: 'slow' }]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(20);
    guard.hangs = false;
    expect((await service.order(user('next'))).ms).toBeLessThan(AT_ONCE_MS);
    expect(guard.held).toBeGreaterThan(0n);
    const fresh = { id: freshId(), held: String(guard.held) };
    expect((await askLease(service.url, service.basic(GUARD), fresh)).body).toEqual({ error: 'slow' });
    expect((await askLease(service.url, service.basic(WIDE_GUARD), fresh)).status).toBe(200);
    expect(honest.answer()).toBe(true);
    const counted = /^rescind_feed_leases_total\{outcome="slow"\} [1-9]/m;
    expect(await service.metricsWith(counted)).toMatch(counted);
  });
});

describe('a guard that stands below what its node has confirmed', () => {
  it('gets no grant before it has applied it', async () => {
    const service = await startFeedService();
    try {
      const { seq } = await service.order(user('u-1'));
      const id = freshId();
      const behind = await askLease(service.url, service.basic(GUARD), { id, held: String(BigInt(seq) - 1n) });
      expect([behind.status, behind.body]).toEqual([409, { error: 'behind' }]);
      const granted = await askLease(service.url, service.basic(GUARD), { id, held: seq });
      expect([granted.status, Object.keys(granted.body)]).toEqual([200, ['grant_ms', 'now']]);
      expect(granted.body['grant_ms']).toBeGreaterThan(0);
      expect(granted.body['grant_ms']).toBeLessThanOrEqual(3_000);
      expect((await askLease(service.url, service.basic(GUARD), { id, held: seq, release: true })).text).toBe('{}');
    } finally {
      await service.stop();
    }
  });
});

describe('a node that stops', () => {
  it('lets its guards go on under their grants, sends them orders of other nodes, and is waited for until the grants end', async () => {
    const service = await startFeedService({ LEASE_SECONDS: '4' });
    try {
      const leaving = await service.another();
      const token = await service.issue({ sub: 'u-leaving' });
      const guard = await HandGuard.start(leaving.url, service.basic(GUARD), token);
      const stopping = leaving.stop();
      await until('the guard is sent away', async () => (await guard.renew()).body['error'] === 'leaving');
      expect((await openStream(leaving.url, { authorization: service.basic(GUARD) })).status).toBe(503);
      expect(guard.answer()).toBe(true);
      const { seq, confirmed } = await service.order(user('u-leaving'));
      expect([guard.held, guard.answer()]).toEqual([BigInt(seq), undefined]);
      expect(confirmed.nodes + confirmed.expired).toBe(2);
      await Promise.all([stopping, guard.stream.ended]);
      guard.stop();
      expect((await service.order(user('afterwards'))).confirmed).toEqual({ nodes: 1, guards: 0, expired: 0 });
    } finally {
      await service.stop();
    }
  });
});
