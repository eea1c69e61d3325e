import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFeedService, type FeedService } from '../feeds/feed-service.js';

/** Failures that one address may have at once. */
const BURST = 20;

describe('behind a trusted proxy', () => {
  let service: FeedService;
  beforeAll(async () => {
    service = await startFeedService({ TRUSTED_PROXY: 'true' });
  });
  afterAll(() => service.stop());

  it.each([
    ['/introspect', 1],
    ['/revoke', 2],
    ['/feed/token', 3],
    ['/feed/lease', 4],
  ])(
    '%s delays a client that failed too often by the address that the proxy names, and nobody else',
    async (path, network) => {
      const isJson = path === '/feed/lease';
      const fail = async (host: number): Promise<number> => {
        const headers = {
          authorization: 'Bearer rsk_wrong',
          'x-forwarded-for': `198.51.100.7, 203.0.${network}.${host}`,
          'content-type': isJson ? 'application/json' : 'application/x-www-form-urlencoded',
        };
        return (await fetch(service.url + path, { method: 'POST', headers, body: isJson ? '{}' : 'token=a' })).status;
      };
      for (let nth = 0; nth < BURST; nth++) expect(await fail(1)).toBe(401);
      // One failure comes back a second: on a slow machine a few more are let through first.
      let status: number;
      do status = await fail(1);
      while (status === 401);
      expect([status, await fail(2)]).toEqual([429, 401]);
    },
  );
});
