import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Guard } from '../../../src/guard/index.js';
import { API, OTHER_API, RAS, RAS_SOURCE } from '../../conformance/parties.js';
import { GUARD, startFeedService, type FeedService } from '../feeds/feed-service.js';
import {
  guardOf,
  learn,
  localAnswer,
  machineMs,
  startGuard,
  startGuardProcess,
  startLink,
  until,
  type Link,
} from './guard-fixture.js';

const ELSEWHERE = 'https://elsewhere.example';
const user = (sub: string): object => ({ user: { iss: RAS, sub } });

describe('a guard in trouble', () => {
  let service: FeedService;
  let link: Link;
  let guard: Guard;
  beforeAll(async () => {
    service = await startFeedService({ LEASE_SECONDS: '2' });
  });
  afterAll(() => service.stop());
  beforeEach(async () => {
    link = await startLink(service.url);
    guard = await startGuard(service, { rescind: link.url });
  });
  afterEach(async () => {
    await guard.stop();
    await link.close();
  });

  it('says nothing active when it wakes after a stop longer than its lease', async () => {
    const token = await service.issue({ sub: 'u-stopped' });
    const stopped = await startGuardProcess(service, token);
    await until(async () => (await stopped.ask()).lastActiveAt > 0);
    process.kill(stopped.pid, 'SIGSTOP');
    const { confirmed } = await service.order(user('u-stopped'));
    const orderedAt = machineMs();
    expect(confirmed).toMatchObject({ nodes: 1 });
    process.kill(stopped.pid, 'SIGCONT');
    const before = (await stopped.ask()).looks;
    await until(async () => (await stopped.ask()).looks > before + 20);
    expect((await stopped.ask()).lastActiveAt).toBeLessThan(orderedAt);
    await stopped.end();
  });

  it('goes on after a shorter stop, and nobody waited longer than its grant', async () => {
    const token = await service.issue({ sub: 'u-blinked' });
    const stopped = await startGuardProcess(service, token);
    process.kill(stopped.pid, 'SIGSTOP');
    process.kill(stopped.pid, 'SIGCONT');
    const wokeAt = machineMs();
    await until(async () => (await stopped.ask()).lastActiveAt > wokeAt);
    await stopped.end();
  });

  it('answers until its lease ends if its link is severed, then asks in vain; the order waits no longer than that', async () => {
    const token = await service.issue({ sub: 'u-severed' });
    await learn(guard, token);
    link.sever();
    expect(localAnswer(guard, token)?.state).toBe('active');
    let lastActiveAt = -Infinity;
    const looking = setInterval(() => {
      if (guard.stats().local && localAnswer(guard, token)?.state === 'active') lastActiveAt = machineMs();
    }, 1);
    await service.order(user('u-severed'));
    const orderedAt = machineMs();
    clearInterval(looking);
    expect(lastActiveAt).toBeGreaterThan(0);
    expect(lastActiveAt).toBeLessThan(orderedAt);
    expect(localAnswer(guard, token)).toBeUndefined();
    expect(await guard.check(token)).toEqual({ state: 'unavailable', retryAfter: 1 });
    await link.leadTo(service.url);
    await until(() => guard.stats().local);
    expect((await guard.check(token)).state).toBe('inactive');
  });

  it('asks in vain while its connections are refused, and recovers by itself', async () => {
    const token = await service.issue({ sub: 'u-refused' });
    await learn(guard, token);
    await link.refuse();
    await until(() => !guard.stats().connected);
    expect((await guard.check(token)).state).toBe('unavailable');
    await link.leadTo(service.url);
    await until(() => guard.stats().local);
    // Nothing was missed, so what was known is known.
    expect(guard.stats().resets).toBe(0);
    expect(localAnswer(guard, token)?.state).toBe('active');
  });

  it('continues from its position at another node, and receives that node’s orders', async () => {
    const token = await service.issue({ sub: 'u-moved' });
    await learn(guard, token);
    const other = await service.another();
    await link.leadTo(other.url);
    await until(() => guard.stats().local);
    await learn(guard, token);
    await service.order(user('u-moved'));
    expect((await guard.check(token)).state).toBe('inactive');
  });

  it('forgets everything and asks again if it missed more than the node remembers', async () => {
    const [token, other] = [await service.issue({ sub: 'u-behind' }), await service.issue({ sub: 'u-bystander' })];
    await learn(guard, token);
    await learn(guard, other);
    await link.refuse();
    await service.order(user('u-behind'));
    // Its memory of records begins with its start.
    const young = await service.another();
    await link.leadTo(young.url);
    await until(() => guard.stats().local);
    expect(guard.stats().resets).toBe(1);
    expect(localAnswer(guard, other)).toBeUndefined();
    expect((await guard.check(token)).state).toBe('inactive');
    await learn(guard, other);
  });

  it('gives its grant back when it is stopped in order: the next order waits for nobody', async () => {
    await learn(guard, await service.issue({ sub: 'u-ended' }));
    expect((await service.order(user('u-nobody-1'))).confirmed.guards).toBe(1);
    await guard.stop();
    expect((await service.order(user('u-nobody-2'))).confirmed).toMatchObject({ guards: 0, expired: 0 });
    expect((await guard.check('any')).state).toBe('unavailable');
  });

  it('says nothing active after its event loop was blocked for longer than its lease', async () => {
    const token = await service.issue({ sub: 'u-blocked' });
    await learn(guard, token);
    const until2s = performance.now() + 2_000;
    while (performance.now() < until2s);
    expect(localAnswer(guard, token)).toBeUndefined();
  });

  it('remembers a token of a resource beyond its role once the stream covers that resource, and forgets it after a rule on it', async () => {
    const { uri, types, issuers, resources, jwks } = RAS_SOURCE;
    await service.admin('PUT', '/v1/sources/chat', { uri, types, issuers, resources: [...resources, ELSEWHERE], jwks });
    const token = await service.issue({ sub: 'u-wide', aud: [API, ELSEWHERE] });
    expect((await guard.check(token)).state).toBe('active');
    expect(localAnswer(guard, token)).toBeUndefined();
    await until(async () => (await guard.check(token)).state === 'active' && localAnswer(guard, token) !== undefined);
    await service.order({ resource: ELSEWHERE, user: { iss: RAS, sub: 'u-wide' } });
    expect((await guard.check(token)).state).toBe('inactive');
  });

  it('is not affected by rules on other resources', async () => {
    const token = await service.issue({ sub: 'u-calm' });
    await learn(guard, token);
    const { asked, selectors } = guard.stats();
    const { seq } = await service.order({ resource: OTHER_API, agent_type: 'none' });
    expect(localAnswer(guard, token)?.state).toBe('active');
    expect(guard.stats()).toMatchObject({ asked, selectors, held: seq });
  });

  it('says active again after a lift', async () => {
    const token = await service.issue({ sub: 'u-lifted' });
    await learn(guard, token);
    const { id } = await service.order(user('u-lifted'), { effect: 'block' });
    expect((await guard.check(token)).state).toBe('inactive');
    await service.call('POST', `/v1/revocations/${id}/lift`, 'security', { resume: true, reason: 'spec' });
    await learn(guard, token);
  });

  it('forgets everything when its own caller changes, and says nothing active once it lost the role', async () => {
    await service.register('short-lived', { guard: { resources: [API], issuers: [RAS] } });
    const own = guardOf(service, { credentials: { key: service.secret('short-lived') } });
    own.start();
    await own.ready;
    const token = await service.issue({ sub: 'u-caller' });
    await learn(own, token);
    await service.admin('PUT', '/v1/callers/short-lived', {
      roles: { guard: { resources: [API, OTHER_API], issuers: [RAS] } },
    });
    expect(localAnswer(own, token)).toBeUndefined();
    expect((await own.check(token)).state).toBe('active');
    await service.admin('PUT', '/v1/callers/short-lived', { roles: { audit: {} } });
    expect((await own.check(token)).state).not.toBe('active');
    await own.stop();
  });

  it('receives nothing of another tenant, whose rules stop none of its tokens', async () => {
    const post = async (path: string, bearer: string, body: object): Promise<string> => {
      const response = await fetch(`${service.url}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      expect({ path, status: response.status, text }).toMatchObject({ status: 201 });
      return /"(rsk_[\w-]+)"/.exec(text)?.[1] ?? '';
    };
    const { admin } = await service.admin<{ admin: { secret: string } }>('POST', '/v1/tenants', { name: 'globex' });
    const revoker = await post('/v1/callers', admin.secret, {
      id: 'globex-security',
      roles: { revoke: { tenant: true } },
    });
    const token = await service.issue({ sub: 'u-tenant' });
    await learn(guard, token);
    const { selectors } = guard.stats();
    await post('/v1/revocations', revoker, { selector: user('u-tenant'), reason: 'spec' });
    expect(localAnswer(guard, token)?.state).toBe('active');
    expect(guard.stats().selectors).toBe(selectors);
  });

  it('asks once for calls that come at the same time', async () => {
    const token = await service.issue({ sub: 'u-together' });
    const { asked } = guard.stats();
    const answers = await Promise.all(Array.from({ length: 50 }, () => guard.check(token)));
    expect(new Set(answers.map(({ state }) => state))).toEqual(new Set(['active']));
    expect(guard.stats().asked).toBe(asked + 1);
  });

  it('asks every time in the mode `introspect`, like any client of RFC 7662', async () => {
    const plain = guardOf(service, {
      mode: 'introspect',
      credentials: { id: 'chat-api', secret: service.secret('chat-api') },
    });
    plain.start();
    const token = await service.issue({ sub: 'u-plain' });
    expect(await plain.check(token)).toMatchObject({ state: 'active', claims: { sub: 'u-plain' } });
    expect(localAnswer(plain, token)).toBeUndefined();
    await service.order(user('u-plain'));
    expect((await plain.check(token)).state).toBe('inactive');
    await plain.stop();
  });

  it('is unavailable with a wrong secret, and never says active', async () => {
    const wrong = guardOf(service, { credentials: { id: GUARD, secret: 'rsk_wrong' } });
    wrong.start();
    expect((await wrong.check(await service.issue({ sub: 'u-wrong' }))).state).toBe('unavailable');
    await wrong.stop();
    expect(await wrong.ready).toBe(false);
  });
});
