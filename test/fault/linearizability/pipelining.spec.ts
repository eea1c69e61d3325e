import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from '@jest/globals';
import { createHttpServer } from '../../../src/platform/http/http-server.js';
import { createMemoryWorld, type MemoryWorld } from '../../conformance/memory-world.js';
import * as parties from '../../conformance/parties.js';
import { digestOf } from '../../conformance/signing.js';
import { checkHistory } from './check-history.js';
import { CheckLog, epochAtZero, hostClock, valueOf, type RecordedToken, type SentOrder } from './history.js';
import { startNodeLoad, type Told } from './load.js';
import { createPopulation } from './population.js';
import { createRandom } from './random.js';

/** Are pipelined questions judged by when their answers go out? One node in memory, whose rules apply at once, and the load of a run. */
const TOKENS = 40;
const LIMIT_MS = 60_000;
const textOf = (token: number): string => `at_${token}`;
const nowS = (): number => Math.floor(Date.now() / 1000);

function createWorld(): MemoryWorld {
  const world = createMemoryWorld();
  world.now = nowS();
  for (let token = 0; token < TOKENS; token += 1)
    world.recordToken(parties.tokenFacts(nowS(), { sha256: digestOf(textOf(token)) }));
  return world;
}

let server: Server;
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Revokes one token after the other while all are asked about; ends when `enough` says so, or all are revoked. */
async function judge(world: MemoryWorld, enough: (stale: number) => boolean) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const log = new CheckLog();
  const orders: SentOrder[] = [];
  const tokens: RecordedToken[] = Array.from({ length: TOKENS }, (_, token) => ({
    values: new Set([valueOf('token', digestOf(textOf(token)))]),
    grantedAt: nowS(),
    skew: 5,
    recordingBegan: 0,
    recorded: 0,
  }));
  const load = await startNodeLoad({
    nodes: [{ port: (server.address() as AddressInfo).port, via: 0 }],
    connections: 12,
    pipelining: 8,
    perSecond: 400,
    authorization: parties.basic('chat-api'),
    waitingAuthorization: parties.basic('chat-api-waits'),
    population: createPopulation(createRandom(1)),
    log,
    onTrouble: (error) => {
      throw error;
    },
  });
  const all = tokens.map((_, token) => token);
  const told: Told = { know: all.map((token) => [token, textOf(token)] as const), live: all };
  load.tell(told);
  const judged = () => checkHistory({ epochAtZero: epochAtZero(), tokens, orders, checks: log });
  for (const token of all) {
    const before = log.length;
    load.tell({ focus: [token] });
    const until = hostClock() + LIMIT_MS;
    while (log.length < before + 100 && hostClock() < until) await delay(5);
    const order: SentOrder = {
      selector: [valueOf('token', digestOf(textOf(token)))],
      effect: 'revoke',
      door: 'order',
      began: hostClock(),
    };
    orders.push(order);
    load.tell({ focus: [token] });
    await delay(10);
    world.order({ token: { sha256: digestOf(textOf(token)) } });
    order.answered = hostClock();
    load.tell({ focus: [token] });
    if (enough(judged().stale)) break;
  }
  await load.stop();
  return { ...judged(), behind: log.behind };
}

it(
  'the load finds no violation if the node serves one request after the other',
  async () => {
    const world = createWorld();
    server = createHttpServer({
      framework: (_req, res) => void res.end(),
      hot: new Map([['/introspect', world.handle]]),
      tls: undefined,
      isClosing: () => false,
    });
    const { stale, wronglyInactive, behind, afterAnswer, checks } = await judge(world, () => false);
    expect([stale, wronglyInactive]).toEqual([0, 0]);
    expect([behind > 100, afterAnswer > 100, checks > 1_000]).toEqual([true, true, true]);
  },
  5 * LIMIT_MS,
);

it(
  'the load finds answers that are held back if the node serves requests as they come',
  async () => {
    const world = createWorld();
    server = createServer(world.handle);
    const { stale, behind } = await judge(world, (found) => found > 0);
    expect(behind).toBeGreaterThan(0);
    expect(stale).toBeGreaterThan(0);
  },
  5 * LIMIT_MS,
);
