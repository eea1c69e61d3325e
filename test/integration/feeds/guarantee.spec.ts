import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { IDP, RAS } from '../../conformance/parties.js';
import { HandGuard, askLease, askToken, freshId, openStream } from './feed-client.js';
import { GUARD, startFeedService, type FeedService } from './feed-service.js';

const user = (sub: string): object => ({ user: { iss: RAS, sub } });

describe('an order and the guards', () => {
  let service: FeedService;
  beforeAll(async () => {
    service = await startFeedService({ LEASE_SECONDS: '2' });
  });
  afterAll(() => service.stop());

  it('is answered when the guard has applied it, and counts the guard', async () => {
    const token = await service.issue({ sub: 'u-applied' });
    const guard = await HandGuard.start(service.url, service.basic(GUARD), token);
    expect(guard.answer()).toBe(true);
    const asking = setInterval(() => guard.answer(), 1);
    const { seq, confirmed, ms } = await service.order(user('u-applied'));
    const answeredAt = performance.now();
    clearInterval(asking);
    expect(guard.held).toBe(BigInt(seq));
    expect(guard.answer()).toBeUndefined();
    expect(guard.lastYesAt).toBeLessThan(answeredAt);
    expect(confirmed).toEqual({ nodes: 1, guards: 1, expired: 0 });
    expect(ms).toBeLessThan(1_500);
    expect((await askToken(service.url, service.basic(GUARD), { token, held: seq })).text).toBe('{"active":false}');
    guard.stop();
  });
});
void [IDP, askLease, freshId, openStream];
