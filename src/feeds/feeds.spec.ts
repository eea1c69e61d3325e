import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import * as parties from '../../test/conformance/parties.js';
import { digestOf } from '../../test/conformance/signing.js';
import { openStream, type Stream } from '../../test/integration/feeds/feed-client.js';
import {
  CONTROL_RECORD_VERSION,
  createControlState,
  type CallerRecord,
  type ControlRecord,
  type ControlState,
  type NewControlRecord,
  type Seq,
} from '../control/index.js';
import { createLog } from '../platform/log/index.js';
import { createMetrics, type Metrics } from '../platform/observe/index.js';
import { createAuthenticator } from '../registry/index.js';
import { selectorKey, type Selector } from '../rules/index.js';
import { createFeeds, type FeedLimits, type Feeds } from './index.js';

const TENANT = parties.TENANT.id;
const KEY = Buffer.from(parties.TENANT.key, 'base64url');
const NOW_S = 1_795_510_800;

const guard = (id: string, over: Partial<CallerRecord> = {}): CallerRecord => ({
  ...parties.RESOURCE_SERVER,
  ...guardRecord(id),
  ...over,
});
const guardRecord = (id: string): Pick<CallerRecord, 'id' | 'roles' | 'secrets'> => ({
  id,
  roles: { guard: { resources: [parties.API], issuers: [parties.RAS] } },
  secrets: [{ id: `${id}-1`, sha256: digestOf(parties.secretOf(id)), created_at: 0 }],
});

/**
 * The feeds on a real state, authentication and server. Records come from here instead of the database, and the lease grants every
 * request.
 */
interface World {
  readonly url: string;
  readonly state: ControlState;
  readonly metrics: Metrics;
  readonly feeds: Feeds;
  /** Values that specs change. */
  readonly clock: { seconds: number; aheadMs: number };
  readonly keySets: { version: number };
  /** Guards that the node vouches for, by the names under which its lease keeps them. */
  readonly granted: ReadonlySet<string>;
  /** Ends the grants that a stop waits for. */
  endGrants(): void;
  /** Applies records as one batch. */
  apply(...records: readonly NewControlRecord[]): bigint;
  order(selector: Selector): bigint;
  open(query?: string, caller?: string): Promise<Stream>;
  close(): Promise<void>;
}

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

async function createWorld(limits: Partial<FeedLimits> = {}): Promise<World> {
  const state = createControlState();
  const metrics = createMetrics();
  const listeners: ((records: readonly ControlRecord[]) => void)[] = [];
  const streams: Stream[] = [];
  const clock = { seconds: NOW_S, aheadMs: 0 };
  const keySets = { version: 0 };
  const granted = new Set<string>();
  let endGrants = (): void => undefined;
  const drained = new Promise<void>((resolve) => {
    endGrants = resolve;
  });

  const apply = (...records: readonly NewControlRecord[]): bigint => {
    const committed = records.map(
      (record, nth) =>
        ({
          ...record,
          seq: (state.head + BigInt(nth) + 1n) as Seq,
          version: CONTROL_RECORD_VERSION,
          at: NOW_S * 1000,
        }) as ControlRecord,
    );
    for (const record of committed) state.apply(record);
    for (const listener of listeners) listener(committed);
    return state.head;
  };
  apply({ kind: 'tenant.changed', tenant: TENANT, subject: TENANT, body: parties.TENANT });
  for (const id of ['one', 'two']) apply({ kind: 'caller.changed', tenant: TENANT, subject: id, body: guard(id) });

  const feeds = createFeeds({
    follower: {
      state,
      onApplied: (listener) => void listeners.push(listener),
      guards: {
        grant: (name) => {
          granted.add(name);
          return { grantMs: 60_000 };
        },
        release: (name) => void granted.delete(name),
        drain: () => drained,
      },
    },
    authenticate: createAuthenticator({ state: () => state, now: () => clock.seconds * 1000 }),
    sight: () => ({ kind: 'undecided' }),
    keysVersion: () => keySets.version,
    metrics,
    log: createLog({ level: 'silent' }),
    remoteAddress: () => '192.0.2.7',
    limits,
    monotonic: () => performance.now() + clock.aheadMs,
  });
  const server: Server = createServer((req, res) => feeds.handlers.get(req.url!.split('?')[0]!)!(req, res));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const made: World = {
    url,
    state,
    metrics,
    feeds,
    clock,
    keySets,
    granted,
    endGrants,
    apply,
    order: (selector) => apply(ruleOf(selector)),
    async open(query = '', caller = 'one') {
      const stream = await openStream(url, { authorization: parties.basic(caller), query });
      streams.push(stream);
      return stream;
    },
    async close() {
      endGrants();
      for (const stream of streams) stream.close();
      await feeds.stop();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
  world = made;
  return made;
}

function ruleOf(selector: Selector): NewControlRecord {
  const { shape, key } = selectorKey(KEY, selector);
  const body = {
    id: 'r',
    effect: 'block' as const,
    selector,
    shape,
    key: Buffer.from(key, 'latin1').toString('base64url'),
    reauthenticate: false,
    reason: 'spec',
    author: { caller: 'spec' },
  };
  return { kind: 'rule.ordered', tenant: TENANT, subject: 'r', body };
}

const user = (n: number): Selector => ({ user: { iss: parties.RAS, sub: `u-${n}` } });
const is =
  (event: string) =>
  (one: { readonly event: string }): boolean =>
    one.event === event;
const names = ({ events }: Stream): readonly string[] => events.map(({ event, id }) => `${event} ${id}`);
const counted = async ({ metrics }: World, line: string): Promise<number> =>
  Number(new RegExp(`^${line} (\\d+)$`, 'm').exec(await metrics.text())?.[1] ?? 0);

describe('a stream', () => {
  it('begins at the head, and each batch ends with the head', async () => {
    const sut = await createWorld();
    const stream = await sut.open();
    await stream.next(is('start'));
    const last = sut.apply(ruleOf(user(1)), ruleOf({ resource: parties.OTHER_API }), {
      kind: 'rule.lifted',
      tenant: TENANT,
      subject: 'r',
      body: { rule: 'r', resume: true, reason: 'spec', author: { caller: 'spec' } },
    });
    await stream.next(({ id }) => id === last);
    expect(names(stream)).toEqual(['start 3', 'rule 4', 'seq 6']);
    expect(stream.headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  });

  it('shows every five seconds, and here more often, that it lives', async () => {
    const sut = await createWorld({ heartbeatMs: 5 });
    const stream = await sut.open();
    await stream.next(is('start'));
    while (stream.comments < 3) await sleepless();
    expect(names(stream)).toEqual(['start 3']);
  });

  it('goes on where the guard stood, with what concerns it', async () => {
    const sut = await createWorld();
    for (const selector of [user(1), { resource: parties.OTHER_API }, { resource: parties.API }, user(2)])
      sut.order(selector);
    const after = async (query: string): Promise<readonly string[]> => {
      const stream = await sut.open(query);
      await stream.next(({ id }) => id === sut.state.head);
      return names(stream);
    };
    expect(await after('?after=4')).toEqual(['start 4', 'rule 6', 'rule 7']);
    sut.order({ resource: parties.OTHER_API });
    expect(await after('?after=6')).toEqual(['start 6', 'rule 7', 'seq 8']);
    expect(await after('?after=6&also=*')).toEqual(['start 6', 'rule 7', 'rule 8']);
  });

  it('says nothing of another tenant, neither as it happens nor afterwards', async () => {
    const sut = await createWorld();
    const other = { ...parties.TENANT, id: '7f0a1ed4-5c0c-4a07-9a3e-3a1f0f0c1a02', name: 'globex' };
    const [narrow, all] = [await sut.open(), await sut.open('?also=*')];
    sut.apply({ kind: 'tenant.changed', tenant: other.id, subject: other.id, body: other });
    const last = sut.apply({ ...ruleOf(user(1)), tenant: other.id });
    for (const stream of [narrow, all, await sut.open('?after=3'), await sut.open('?after=3&also=*')]) {
      await stream.next(({ id }) => id === last);
      expect(new Set(stream.events.slice(1).map(({ event }) => event))).toEqual(new Set(['seq']));
    }
  });

  it('begins with a reset where the node does not reach back, or is itself behind', async () => {
    const sut = await createWorld({ maxRecent: 3 });
    for (let n = 1; n <= 5; n++) sut.order(user(n));
    for (const [query, first] of [
      ['?after=4', 'start 4'],
      ['?after=9', 'start 9'],
    ] as const) {
      const stream = await sut.open(query);
      const { data } = await stream.next(is('reset'));
      expect([names(stream), data]).toEqual([[first, 'reset 8'], { seq: '8' }]);
    }
    expect(
      await Promise.all(
        ['too-old', 'ahead'].map((reason) => counted(sut, `rescind_feed_resets_total{reason="${reason}"}`)),
      ),
    ).toEqual([1, 1]);
  });

  it('begins with a reset where a guard would have to read more than may wait for it', async () => {
    const sut = await createWorld({ maxWaitingBytes: 2_000 });
    for (let n = 1; n <= 40; n++) sut.order(user(n));
    const stream = await sut.open('?after=3');
    await stream.next(is('reset'));
    expect(names(stream)).toEqual(['start 3', 'reset 43']);
    expect(await counted(sut, 'rescind_feed_resets_total{reason="too-much"}')).toBe(1);
  });
});

/** Lets sockets be served. */
const sleepless = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('whoever is no guard any more', () => {
  it.each([
    ['disabled', guard('one', { disabled: true })],
    ['without the role', guard('one', { roles: { introspect: { resources: [parties.API], issuers: [parties.RAS] } } })],
    ['with other secrets', guard('one', { secrets: [] })],
  ])('%s: is told to forget, and its stream ends', async (_, body) => {
    const sut = await createWorld();
    const [stream, other] = [await sut.open(), await sut.open('', 'two')];
    await Promise.all([stream, other].map((one) => one.next(is('start'))));
    sut.apply({ kind: 'caller.changed', tenant: TENANT, subject: 'one', body });
    await stream.ended;
    expect(names(stream)).toEqual(['start 3', 'forget 4']);
    await other.next(is('seq'));
    expect(names(other)).toEqual(['start 3', 'seq 4']);
  });

  it('a guard whose bounds changed is told to forget, and goes on', async () => {
    const sut = await createWorld();
    const stream = await sut.open();
    sut.apply({
      kind: 'caller.changed',
      tenant: TENANT,
      subject: 'one',
      body: guard('one', { roles: { guard: { resources: [], issuers: [parties.RAS] } } }),
    });
    const last = sut.order(user(1));
    await stream.next(({ id }) => id === last);
    expect(names(stream)).toEqual(['start 3', 'forget 4', 'rule 5']);
  });

  it('one whose secret ran out, which no record tells, is noticed with the next sign of life', async () => {
    const sut = await createWorld({ heartbeatMs: 5 });
    const secrets = [{ ...guardRecord('one').secrets[0]!, expires_at: NOW_S + 60 }];
    sut.apply({ kind: 'caller.changed', tenant: TENANT, subject: 'one', body: guard('one', { secrets }) });
    const stream = await sut.open();
    await stream.next(is('start'));
    sut.clock.seconds += 61;
    await stream.ended;
    expect(await counted(sut, 'rescind_feed_streams_ended_total{reason="no-guard"}')).toBe(1);
  });
});

describe('a key set that changed', () => {
  it('makes every guard forget everything, also one that was away meanwhile', async () => {
    const sut = await createWorld();
    const stream = await sut.open();
    await stream.next(is('start'));
    sut.keySets.version++;
    const { data, id } = await stream.next(is('forget'));
    expect([data, id]).toEqual([{ all: true }, 3n]);
    const again = await sut.open('?after=3');
    await again.next(is('forget'));
    expect(names(again)).toEqual(['start 3', 'forget 3']);
  });
});

describe('bounds', () => {
  it('a subscriber that does not read is cut off, and nobody else waits for it', async () => {
    const sut = await createWorld({ maxWaitingBytes: 64 * 1024, maxRecent: 100_000 });
    const [slow, quick] = [await sut.open(), await sut.open()];
    await Promise.all([slow, quick].map((one) => one.next(is('start'))));
    slow.pause();
    const batch = Array.from({ length: 400 }, (_, n) => ruleOf(user(n)));
    // The kernel's buffers hold more on top of that.
    while ((await counted(sut, 'rescind_feed_streams_ended_total{reason="too-slow"}')) === 0) {
      const last = sut.apply(...batch);
      await quick.next(({ id }) => id === last, quick.events.length - 1);
    }
    expect(await counted(sut, 'rescind_feed_subscribers')).toBe(1);
    expect(quick.held).toBe(sut.state.head);
  });

  it('so many streams a caller, and so many in all; what ends makes room', async () => {
    const sut = await createWorld({ maxSubscribersACaller: 2, maxSubscribers: 3 });
    const streams = [await sut.open(), await sut.open()];
    const refused = await sut.open();
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
    expect([(await sut.open('', 'two')).status, (await sut.open('', 'two')).status]).toEqual([200, 503]);
    streams[0]!.close();
    while ((await counted(sut, 'rescind_feed_subscribers')) !== 2) await sleepless();
    expect((await sut.open()).status).toBe(200);
  });
});

describe('a lease', () => {
  it("is kept apart for guards of two callers that chose one id: neither releases the other's", async () => {
    const sut = await createWorld();
    const id = Buffer.alloc(16, 9).toString('base64url');
    const ask = async (caller: string, over: { readonly release?: boolean } = {}): Promise<number> => {
      const body = JSON.stringify({ id, held: String(sut.state.head), ...over });
      const headers = { authorization: parties.basic(caller), 'content-type': 'application/json' };
      return (await fetch(`${sut.url}/feed/lease`, { method: 'POST', headers, body })).status;
    };
    expect([await ask('one'), await ask('two'), sut.granted.size]).toEqual([200, 200, 2]);
    const ofBoth = [...sut.granted];
    expect(await ask('two', { release: true })).toBe(200);
    expect([...sut.granted]).toEqual(ofBoth.slice(0, 1));
    expect(await ask('one', { release: true })).toBe(200);
    expect(sut.granted.size).toBe(0);
  });

  it('is for a guard that has applied what its node has had for two seconds: the record that the guard lacks counts', async () => {
    const sut = await createWorld();
    const ask = async (nth: number, held: bigint): Promise<unknown> => {
      const body = JSON.stringify({ id: Buffer.alloc(16, nth).toString('base64url'), held: String(held) });
      const response = await fetch(`${sut.url}/feed/lease`, {
        method: 'POST',
        headers: { authorization: parties.basic('one'), 'content-type': 'application/json' },
        body,
      });
      return [response.status, ((await response.json()) as { error?: string }).error];
    };
    const old = sut.order(user(1));
    sut.clock.aheadMs += 60_000;
    sut.order(user(2));
    expect([await ask(1, old), await ask(2, old - 1n)]).toEqual([
      [200, undefined],
      [409, 'behind'],
    ]);
  });
});

describe('a token that a guard asks about', () => {
  it('is not judged by a node that has applied less than the guard', async () => {
    const sut = await createWorld();
    const ask = async (held: bigint): Promise<number> =>
      (
        await fetch(`${sut.url}/feed/token`, {
          method: 'POST',
          headers: { authorization: parties.basic('one') },
          body: new URLSearchParams({ token: 't', held: String(held) }),
        })
      ).status;
    expect(await ask(sut.state.head + 1n)).toBe(503);
    expect([
      await ask(sut.state.head),
      await counted(sut, 'rescind_feed_tokens_total{outcome="behind"}'),
      await counted(sut, 'rescind_feed_tokens_total{outcome="undecided"}'),
    ]).toEqual([expect.any(Number), 1, 1]);
  });
});

describe('the share of a tenant', () => {
  it('so many streams, whatever its callers', async () => {
    const sut = await createWorld({ maxSubscribersATenant: 2 });
    expect([(await sut.open()).status, (await sut.open('', 'two')).status, (await sut.open()).status]).toEqual([
      200, 200, 503,
    ]);
  });
});

describe('the stop', () => {
  it('lets streams go on until the grants have ended, takes no new ones, and then ends them', async () => {
    const sut = await createWorld();
    const stream = await sut.open();
    await stream.next(is('start'));
    let stopped = false;
    const stopping = sut.feeds.stop().then(() => (stopped = true));
    const last = sut.order(user(1));
    await stream.next(({ id }) => id === last);
    expect([(await sut.open()).status, stopped]).toEqual([503, false]);
    sut.endGrants();
    await Promise.all([stopping, stream.ended]);
    expect(names(stream)).toEqual(['start 3', 'rule 4']);
  });
});
