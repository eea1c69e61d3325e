import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Guard } from '../../../src/guard/index.js';
import * as parties from '../../conformance/parties.js';
import { digestOf } from '../../conformance/signing.js';
import { startFeedService, type FeedService } from '../feeds/feed-service.js';
import { learn, localAnswer, startGuard } from './guard-fixture.js';

describe('a guard and orders', () => {
  let service: FeedService;
  let guard: Guard;
  beforeAll(async () => {
    service = await startFeedService({ LEASE_SECONDS: '2' });
  });
  afterAll(() => service.stop());
  beforeEach(async () => {
    guard = await startGuard(service);
  });
  afterEach(() => guard.stop());

  it('the guard answers at once, with the claims as issued', async () => {
    const token = await service.issue({ sub: 'local', scope: 'chat.read' });
    await learn(guard, token);
    const answer = localAnswer(guard, token);
    expect(answer).toMatchObject({ state: 'active', claims: { sub: 'local', scope: 'chat.read', iss: parties.RAS } });
    expect(answer).not.toHaveProperty('claims.rescind');
    expect(guard.stats()).toMatchObject({ local: true, connected: true, tokens: 1, asked: 1, unavailable: 0 });
  });

  /** Issues a token with an ID-JAG that the IdP has reported: only then is the lineage complete, and the answer kept. */
  async function issue(idJag: object, over: object): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const facts = { ...parties.idJagFacts(now, { jti: randomUUID(), ...idJag }), ...idJag };
    await service.emit('idp', 'id-jag.issued', facts);
    const { iss, jti, sub, client_id, iat } = facts;
    return service.issue({ id_jag: { iss, jti, sub, client_id, iat, ...idJag }, ...over });
  }

  it.each<[string, (nth: string) => Promise<string>, (nth: string, token: string) => object]>([
    ['token', () => issue({}, {}), (_, token) => ({ token: { sha256: digestOf(token) } })],
    ['id_jag', (nth) => issue({ jti: nth }, {}), (nth) => ({ id_jag: { iss: parties.IDP, jti: nth } })],
    ['session', (nth) => issue({ sid: nth }, {}), (nth) => ({ session: { iss: parties.IDP, sid: nth } })],
    ['user', (nth) => issue({}, { sub: nth }), (nth) => ({ user: { iss: parties.RAS, sub: nth } })],
    ['user of the IdP', (nth) => issue({ sub: nth }, {}), (nth) => ({ user: { iss: parties.IDP, sub: nth } })],
    [
      'client',
      (nth) => issue({ client_id: nth }, { client_id: nth }),
      (nth) => ({ client: { iss: parties.RAS, client_id: nth } }),
    ],
    [
      'agent',
      (nth) => issue({ agent: { id: nth, type: 'assistant' } }, {}),
      (nth) => ({ agent: { iss: parties.IDP, id: nth } }),
    ],
    ['agent_type', (nth) => issue({}, { agent: { id: 'a', type: nth } }), (nth) => ({ agent_type: nth })],
    [
      'a conjunction',
      (nth) => issue({}, { sub: nth }),
      (nth) => ({ user: { iss: parties.RAS, sub: nth }, resource: parties.API }),
    ],
  ])('a revocation by %s: the very next check after the answer is not active', async (name, make, selector) => {
    const nth = `${name}-${randomUUID()}`.replaceAll(' ', '-');
    const token = await make(nth);
    const other = await issue({ sub: `bystander-${nth}` }, { sub: `bystander-${nth}` });
    await learn(guard, token);
    await learn(guard, other);
    const { confirmed } = await service.order(selector(nth, token));
    expect(confirmed).toMatchObject({ nodes: 1, guards: 1 });
    expect((await guard.check(token)).state).toBe('inactive');
    expect(localAnswer(guard, other)?.state).toBe('active');
  });
});
