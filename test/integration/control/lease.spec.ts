import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Seq } from '../../../src/control/index.js';
import {
  createControlDatabase,
  createGate,
  hostClock,
  LEASE_MS,
  startLink,
  TENANT,
  until,
  type ControlDatabase,
  type Follower,
  type Link,
} from './control-fixture.js';

const CYCLE_MS = 500;
/** Limit for confirming a record while every node is there. No lease is waited for, so it is far below a lease, also on a busy machine. */
const AT_ONCE_MS = LEASE_MS / 2;
/** A dead node: L on the waiter's clock and a cycle, and a cycle of slack for a busy machine. */
const DEAD_NODE_MS = LEASE_MS + 2 * CYCLE_MS;

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'resolved',
    (error: unknown) => (error as { code?: string }).code ?? error,
  );

describe('several nodes on one database', () => {
  let control: ControlDatabase;
  beforeEach(async () => {
    control = await createControlDatabase();
  });
  afterEach(() => control.drop());

  const rows = async (): Promise<string[]> =>
    control.value<string[]>(`SELECT coalesce(array_agg(id::text ORDER BY joined_at), '{}') FROM node`);

  async function start(count: number): Promise<Follower[]> {
    const nodes = Array.from({ length: count }, () => control.follow());
    for (const node of nodes) await node.start();
    return nodes;
  }

  /** Milliseconds until an order is in force, and what was confirmed. */
  async function order(through: Follower): Promise<{ seq: Seq; ms: number; confirmed: unknown; confirmedAt: number }> {
    const startedAt = performance.now();
    const seq = await control.append();
    const confirmed = await through.whenInForce(seq);
    return { seq, ms: performance.now() - startedAt, confirmed, confirmedAt: hostClock() };
  }

  it('all answer, and an order is in force when each has applied it, whichever node waits', async () => {
    const nodes = await start(3);
    const bystander = control.follow({ serves: false });
    await bystander.start();
    expect(nodes.map((node) => [node.isCurrent(), node.notCurrentReason()])).toEqual(
      nodes.map(() => [true, undefined]),
    );
    expect([bystander.isCurrent(), (await rows()).length]).toEqual([false, 3]);
    for (const through of [...nodes, bystander]) {
      const { seq, ms, confirmed } = await order(through);
      expect(confirmed).toEqual({ nodes: 3, guards: 0, expired: 0 });
      expect(nodes.every(({ state }) => state.head >= seq)).toBe(true);
      expect(ms).toBeLessThan(AT_ONCE_MS);
    }
  });

  it('an order waits for a node that is slow to read it, which answers meanwhile', async () => {
    const gate = createGate(control.controlLog);
    const slow = control.follow({ controlLog: gate.log });
    await slow.start();
    const [quick] = await start(1);
    gate.close();
    const waiting = order(quick!);
    await quick!.whenApplied(1n as Seq);
    await until('the slow node is about to read', gate.isReached);
    expect([slow.isCurrent(), slow.state.head]).toEqual([true, 0n]);
    gate.open();
    const { seq, confirmed, confirmedAt } = await waiting;
    expect(confirmed).toEqual({ nodes: 2, guards: 0, expired: 0 });
    expect(slow.lastCurrentAt(seq)).toBeLessThanOrEqual(confirmedAt);
  });

  it('a node with many records to fold reports its progress, and keeps its lease', async () => {
    const [node] = await start(1);
    await control.append();
    const said: bigint[] = [];
    const listening = await control.pool.connect();
    listening.on('notification', ({ payload }) => said.push(BigInt(payload!.split(' ')[1] ?? 0)));
    await listening.query('LISTEN rescind_confirmed');
    const joined = await rows();
    // A slice holds 52 of the 300 records, which have 97 selectors each.
    await control.pool.query(
      `WITH head AS (UPDATE control_head SET seq = seq + 300 RETURNING seq)
       INSERT INTO control_log SELECT head.seq - 300 + n, $1::uuid, 'rule.ordered', 'r', 2, now(),
         jsonb_build_object('id', gen_random_uuid(), 'effect', 'block', 'selector', '{}'::jsonb, 'shape', 1, 'key', $2::text, 'or_keys', $3::text, 'reauthenticate', false, 'reason', 'spec', 'author', '{}'::jsonb)
       FROM head, generate_series(1, 300) n`,
      [TENANT, Buffer.alloc(16, 1).toString('base64url'), randomBytes(96 * 16).toString('base64url')],
    );
    await until('all of it is confirmed', () => said.includes(301n));
    expect(new Set(said.filter((seq) => seq > 1n && seq < 301n)).size).toBeGreaterThanOrEqual(5);
    expect(node!.state.head).toBe(301n);
    expect(await rows()).toEqual(joined);
    listening.release(true);
  });

  it('200 orders at once share commits and are all in force', async () => {
    const nodes = await start(3);
    const startedAt = performance.now();
    const confirmed = await Promise.all(
      Array.from({ length: 200 }, () => control.append().then((seq) => nodes[0]!.whenInForce(seq))),
    );
    expect(performance.now() - startedAt).toBeLessThan(2 * AT_ONCE_MS);
    expect(confirmed).toEqual(Array.from({ length: 200 }, () => ({ nodes: 3, guards: 0, expired: 0 })));
    expect(
      Number(await control.value<string>('SELECT count(DISTINCT xmin::text) FROM control_log')),
    ).toBeLessThanOrEqual(10);
  });

  it('an order waits for two cycles at most without a notification', async () => {
    const [first] = await start(2);
    for (let n = 1n; n <= 3n; n++) {
      const startedAt = performance.now();
      await control.insertUnannounced(1);
      expect(await first!.whenInForce(n as Seq)).toEqual({ nodes: 2, guards: 0, expired: 0 });
      expect(performance.now() - startedAt).toBeLessThan(3 * CYCLE_MS);
    }
  });

  describe('joining', () => {
    it('a node answers only after a read to the end that began after its join, and orders wait for it', async () => {
      const [first] = await start(1);
      await control.insertUnannounced(7_000);
      const gate = createGate(control.controlLog);
      gate.close();
      const joining = control.follow({ controlLog: gate.log });
      const started = joining.start();
      await until('it has joined and is about to read', async () => gate.isReached() && (await rows()).length === 2);
      gate.letThrough(1);
      await until('it is about to read on', () => gate.isReached() && joining.state.head === 5_000n);
      const waiting = order(first!);
      await first!.whenApplied(7_001n as Seq);
      expect([joining.isCurrent(), joining.notCurrentReason()]).toEqual([false, 'this node holds no lease']);
      gate.open();
      await started;
      expect([joining.isCurrent(), joining.state.head, (await waiting).confirmed]).toEqual([
        true,
        7_001n,
        { nodes: 2, guards: 0, expired: 0 },
      ]);
      expect(joining.lastCurrentAt(7_001n)).toBe(0);
    });

    it('a node whose row is gone joins again under another id', async () => {
      const [node] = await start(1);
      const [before] = await rows();
      await control.pool.query('DELETE FROM node');
      await until('it has joined again', async () => ![undefined, before].includes((await rows())[0]));
      await until('it is current', () => node!.isCurrent());
      expect((await order(node!)).confirmed).toEqual({ nodes: 1, guards: 0, expired: 0 });
    });
  });

  describe('leaving', () => {
    it('delays no order: a rolling restart does not slow orders', async () => {
      const bystander = control.follow({ serves: false });
      await bystander.start();
      let nodes = await start(3);
      for (let round = 0; round < 3; round++) {
        const [leaving, ...rest] = nodes;
        const [{ ms }] = await Promise.all([order(bystander), leaving!.stop()]);
        expect(ms).toBeLessThan(AT_ONCE_MS);
        expect([leaving!.isCurrent(), leaving!.notCurrentReason()]).toEqual([false, 'stopping']);
        expect(rest.every((node) => node.isCurrent())).toBe(true);
        const after = await order(bystander);
        expect([after.confirmed, after.ms < AT_ONCE_MS]).toEqual([{ nodes: 2, guards: 0, expired: 0 }, true]);
        nodes = [...rest, ...(await start(1))];
        expect((await order(bystander)).ms).toBeLessThan(AT_ONCE_MS);
      }
      await Promise.all(nodes.map((node) => node.stop()));
      expect(await rows()).toEqual([]);
      expect(await failureOf(nodes[0]!.whenInForce(1n as Seq))).toBe('not-confirmed');
    });
  });

  describe('a node cut off from the database', () => {
    let link: Link;
    beforeEach(async () => {
      link = await startLink(control.url);
    });
    afterEach(() => link.close());

    it('answers until its lease ends, and no order is in force before', async () => {
      const [near] = await start(1);
      const cut = control.follow({ url: link.url });
      await cut.start();
      link.sever();
      const cutAt = hostClock();
      const waiting = order(near!);
      await near!.whenApplied(1n as Seq);
      // The wait is for this: it answers without the record that the other has applied.
      expect([cut.isCurrent(), cut.state.head]).toEqual([true, 0n]);
      const { seq, ms, confirmed, confirmedAt } = await waiting;
      expect(confirmed).toEqual({ nodes: 1, guards: 0, expired: 1 });
      expect(cut.isCurrent()).toBe(false);
      expect(cut.lastCurrentAt(seq)).toBeLessThan(confirmedAt);
      expect(cut.lastCurrentAt(seq) - cutAt).toBeLessThan(0.75 * LEASE_MS);
      expect(ms).toBeLessThan(DEAD_NODE_MS);
      // Once.
      const next = await order(near!);
      expect([next.confirmed, next.ms < AT_ONCE_MS]).toEqual([{ nodes: 1, guards: 0, expired: 0 }, true]);
      const reason = cut.notCurrentReason()!;
      expect(['this node holds no lease', 'the database cannot be reached']).toContain(reason);
    });

    it('is waited for until its own lease ends, if that is longer than the waiter’s', async () => {
      const [near] = await start(1);
      const cut = control.follow({ url: link.url, leaseMs: 2 * LEASE_MS });
      await cut.start();
      link.sever();
      const { seq, ms, confirmed, confirmedAt } = await order(near!);
      expect(confirmed).toEqual({ nodes: 1, guards: 0, expired: 1 });
      expect(ms).toBeGreaterThan(LEASE_MS);
      expect(cut.lastCurrentAt(seq)).toBeLessThan(confirmedAt);
    });
  });

  describe('a process', () => {
    it('is waited for if it is stopped for less than its lease, and has applied the order when it is in force', async () => {
      const [near] = await start(1);
      const node = await control.spawnNode();
      node.signal('SIGSTOP');
      const waiting = order(near!);
      await near!.whenApplied(1n as Seq);
      node.signal('SIGCONT');
      const { seq, confirmed, confirmedAt } = await waiting;
      expect(confirmed).toEqual({ nodes: 2, guards: 0, expired: 0 });
      expect(await node.lastCurrentAt(seq)).toBeLessThanOrEqual(confirmedAt);
      expect(await node.ask()).toEqual({ current: true, head: 1n });
    });

    it('is fenced if it is stopped for longer: it wakes without a lease, joins again and answers with everything applied', async () => {
      const [near] = await start(1);
      const node = await control.spawnNode();
      const before = await rows();
      node.signal('SIGSTOP');
      const { seq, ms, confirmed, confirmedAt } = await order(near!);
      expect(confirmed).toEqual({ nodes: 1, guards: 0, expired: 1 });
      expect(ms).toBeLessThan(DEAD_NODE_MS);
      node.signal('SIGCONT');
      await until('it is current again', async () => (await node.ask()).current);
      expect((await node.ask()).head).toBe(seq);
      expect(await node.lastCurrentAt(seq)).toBeLessThanOrEqual(confirmedAt);
      const after = await rows();
      expect([after.length, before.includes(after[1]!)]).toEqual([2, false]);
    });

    it('delays orders by one lease, once, if it is killed', async () => {
      const [near] = await start(1);
      const node = await control.spawnNode();
      node.signal('SIGKILL');
      const { ms, confirmed } = await order(near!);
      expect(confirmed).toEqual({ nodes: 1, guards: 0, expired: 1 });
      expect(ms).toBeLessThan(DEAD_NODE_MS);
      const next = await order(near!);
      expect([next.confirmed, next.ms < AT_ONCE_MS]).toEqual([{ nodes: 1, guards: 0, expired: 0 }, true]);
    });

    it('delays no later order if it was killed while nobody waited', async () => {
      const [near] = await start(1);
      const node = await control.spawnNode();
      node.signal('SIGKILL');
      await until('its row is gone', async () => (await rows()).length === 1);
      expect((await order(near!)).ms).toBeLessThan(AT_ONCE_MS);
    });
  });

  describe('guards', () => {
    it('are waited for: an order is in force when each has applied it', async () => {
      const [node] = await start(1);
      expect(node!.guards.grant('g', 0n as Seq, TENANT)).toEqual({ grantMs: expect.any(Number) });
      const waiting = order(node!);
      await node!.whenApplied(1n as Seq);
      let isOver = false;
      const watched = waiting.finally(() => {
        isOver = true;
      });
      await until('the node has renewed with the record applied', () => isRenewedAfter(0n));
      expect(isOver).toBe(false);
      expect(node!.guards.grant('g', 1n as Seq, TENANT)).toEqual({ grantMs: expect.any(Number) });
      const { ms, confirmed } = await watched;
      expect(confirmed).toEqual({ nodes: 1, guards: 1, expired: 0 });
      expect(ms).toBeLessThan(LEASE_MS);
      // It has been said that the guards hold 1.
      expect(node!.guards.grant('late', 0n as Seq, TENANT)).toEqual({ refusal: 'behind' });
    });

    it('are waited for until their grants end if they vanish, and not at all if they say that they leave', async () => {
      const [node] = await start(1);
      node!.guards.grant('gone', 0n as Seq, TENANT);
      const vanished = await order(node!);
      expect(vanished.confirmed).toEqual({ nodes: 1, guards: 0, expired: 0 });
      expect(vanished.ms).toBeGreaterThan(LEASE_MS / 4);
      expect(vanished.ms).toBeLessThan(0.75 * LEASE_MS + 2 * CYCLE_MS);
      node!.guards.grant('leaves', vanished.seq, TENANT);
      const waiting = order(node!);
      await node!.whenApplied((vanished.seq + 1n) as Seq);
      node!.guards.release('leaves');
      expect((await waiting).ms).toBeLessThan(AT_ONCE_MS);
    });

    it('keep the row of a leaving node until their grants end, and get no new grants', async () => {
      const [node, other] = await start(2);
      const answer = node!.guards.grant('g', 0n as Seq, TENANT) as { grantMs: number };
      const leavingAt = performance.now();
      const stopped = node!.stop();
      expect([node!.isCurrent(), node!.guards.grant('g', 0n as Seq, TENANT)]).toEqual([false, { refusal: 'leaving' }]);
      const { confirmed, ms } = await order(other!);
      expect(performance.now() - leavingAt).toBeGreaterThanOrEqual(answer.grantMs - 1);
      expect(ms).toBeLessThan(0.75 * LEASE_MS + 2 * CYCLE_MS);
      expect((confirmed as { nodes: number }).nodes).toBeGreaterThanOrEqual(1);
      await stopped;
      expect((await rows()).length).toBe(1);
    });

    it('are released by a node that drains while it answers', async () => {
      const [node] = await start(1);
      node!.guards.grant('g', 0n as Seq, TENANT);
      const drained = node!.guards.drain();
      expect([node!.isCurrent(), node!.guards.grant('h', 0n as Seq, TENANT)]).toEqual([true, { refusal: 'leaving' }]);
      node!.guards.release('g');
      await drained;
      expect(node!.isCurrent()).toBe(true);
    });

    it('get no grant from a process without a lease', async () => {
      const bystander = control.follow({ serves: false });
      await bystander.start();
      expect(bystander.guards.grant('g', 0n as Seq, TENANT)).toEqual({ refusal: 'no-lease' });
    });

    /** The renewal carries what was confirmed, so one that is later than the record's application has said it all. */
    async function isRenewedAfter(confirmed: bigint): Promise<boolean> {
      const counter = await control.value<string>('SELECT counter FROM node');
      await until('a renewal', async () => (await control.value<string>('SELECT counter FROM node')) !== counter);
      return BigInt(await control.value<string>('SELECT confirmed FROM node')) === confirmed;
    }
  });
});
