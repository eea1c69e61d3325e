import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventType, validateEventData, type IntrospectionCounted } from '../../../src/contracts/index.js';
import { RAS } from '../../conformance/parties.js';
import { digestOf } from '../../conformance/signing.js';
import { askToken } from '../feeds/feed-client.js';
import { GUARD, INTROSPECTOR, startFeedService, type FeedService } from '../feeds/feed-service.js';

interface Entry {
  readonly mode: string;
  readonly event: {
    readonly id: string;
    readonly time: string;
    readonly source: string;
    readonly data: IntrospectionCounted;
  };
}

describe('introspections', () => {
  let service: FeedService;
  beforeAll(async () => {
    service = await startFeedService();
  });
  afterAll(() => service.stop());

  async function entries(): Promise<Entry[]> {
    const { rows } = await service.database.pool.query<{ mode: string; bytes: Buffer }>(
      'SELECT p.mode, p.bytes FROM entry e JOIN payload p USING (tenant, ix) WHERE e.type = $1 ORDER BY e.ix',
      [eventType('introspection.counted')],
    );
    return rows.map(({ mode, bytes }) => ({ mode, event: JSON.parse(bytes.toString()) as Entry['event'] }));
  }

  it('are recorded in the ledger, counted by token and caller, including the last minute before the end', async () => {
    const token = await service.issue({ sub: 'u-counted' });
    const withoutIngest = await service.another({ ROLES: 'serve,feed' });
    await service.introspect(token, withoutIngest.url);
    await withoutIngest.stop();

    await service.introspect(token);
    await service.introspect(token);
    await askToken(service.url, service.basic(GUARD), { token });
    await service.order({ user: { iss: RAS, sub: 'u-counted' } });
    await service.introspect(token);
    await service.introspect('at_unknown');
    expect(await entries()).toEqual([]);
    await service.running.stop();

    const told = await entries();
    const counted = (caller: string, count: number, active: number): object => ({
      caller,
      token: { sha256: digestOf(token) },
      count,
      active,
      from: expect.any(Number),
      to: expect.any(Number),
    });
    expect(told.map(({ event }) => event.data)).toEqual([counted(INTROSPECTOR, 3, 2), counted(GUARD, 1, 1)]);
    for (const { mode, event } of told) {
      expect([mode, event.source.startsWith('urn:rescind:'), Date.parse(event.time) / 1000]).toEqual([
        'own',
        true,
        event.data.to,
      ]);
      expect(validateEventData('introspection.counted', event.data)).toBeUndefined();
    }
    expect(new Set(told.map(({ event }) => event.id)).size).toBe(2);
  });
});
