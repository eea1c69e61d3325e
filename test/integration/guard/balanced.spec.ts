import { randomUUID } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DEFAULT_LEASE_MS } from '../../../src/control/index.js';
import { LEASE_FRACTION } from '../../../src/lease/index.js';
import type { Guard } from '../../../src/guard/index.js';
import { startFeedService, type FeedService } from '../feeds/feed-service.js';
import { learn, localAnswer, startGuard, until } from './guard-fixture.js';

/** One address in front of several nodes: each new connection leads to the next of them. */
async function startBalancer(
  urls: readonly string[],
): Promise<{ readonly url: string; readonly connections: () => number; close(): void }> {
  let taken = 0;
  const server: Server = createServer((near) => {
    const { port, hostname } = new URL(urls[taken++ % urls.length]!);
    const far = connect(Number(port), hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => taken,
    close: () => void server.close(),
  };
}

let service: FeedService;
let balancer: Awaited<ReturnType<typeof startBalancer>>;
let guard: Guard;

beforeAll(async () => {
  service = await startFeedService();
  const nodes = [service.running, await service.another()];
  balancer = await startBalancer(nodes.map(({ url }) => url));
  guard = await startGuard(service, { rescind: balancer.url });
});
afterAll(async () => {
  await guard.stop();
  balancer.close();
  await service.stop();
});

const ROUNDS = 10;

it('a guard holds its lease at one of several nodes behind one address, so that an order waits for one grant', async () => {
  const token = await service.issue();
  await learn(guard, token);
  // Questions at once take a connection each, to both nodes.
  const enough = new AbortController();
  let waited = 0;
  const ask = async (): Promise<void> => {
    while (!enough.signal.aborted) await guard.check(`nobody-${randomUUID()}`);
  };
  const asking = Array.from({ length: 8 }, ask);
  try {
    await until(() => balancer.connections() > 3);
    for (let round = 0; round < ROUNDS; round++) {
      const { confirmed, ms } = await service.order({ agent_type: `nobody-${round}` });
      expect(confirmed).toEqual({ nodes: 2, guards: 1, expired: 0 });
      waited += ms;
    }
    await until(() => localAnswer(guard, token)?.state === 'active');
  } finally {
    enough.abort();
    await Promise.all(asking);
  }
  // A grant that was left behind at the other node would be waited for until it ends, f L, again and again.
  expect(waited).toBeLessThan((ROUNDS / 2) * LEASE_FRACTION * DEFAULT_LEASE_MS);
});
