import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MAX_EVENT_BYTES } from '../../../src/contracts/index.js';
import {
  createProducer,
  httpTransport,
  type DroppedEvent,
  type Producer,
  type ProducerOptions,
  type RefusedEvent,
} from '../../../src/emit/index.js';
import { startReceiver, type Behaviour, type Receiver, type ReceiverOptions } from './receiver.js';

const SOURCE = 'https://idp.example';
const session = (sid: string) => ({ iss: SOURCE, sid, sub: 'u1' });
/** Faster than in life, so that an outage costs the test milliseconds. */
const retry = { firstMs: 2, maxMs: 20 };
/** Time limits for an answer: long enough for a slow machine; and short, for specs that lose an answer in silence. */
const [ANSWER_MS, LOST_MS] = [30_000, 1_000];

describe('a producer over HTTP', () => {
  let receivers: Receiver[];
  let producers: Producer[];
  let dropped: DroppedEvent[];
  let refused: RefusedEvent[];
  let directory: string;

  beforeEach(async () => {
    [receivers, producers, dropped, refused] = [[], [], [], []];
    directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
  });
  afterEach(async () => {
    for (const one of producers) await one.close({ timeoutMs: 1 });
    for (const one of receivers) await one.stop();
    await rm(directory, { recursive: true });
  });

  async function receiver(options?: ReceiverOptions): Promise<Receiver> {
    const started = await startReceiver(options);
    receivers.push(started);
    return started;
  }
  function producer(url: string, options: Partial<ProducerOptions> = {}, timeoutMs = ANSWER_MS): Producer {
    const created = createProducer({
      source: SOURCE,
      transport: httpTransport({ url, credentials: { bearer: 'k' }, timeoutMs }),
      flushMs: 1,
      retry,
      onDropped: (one) => void dropped.push(one),
      onRefused: (one) => void refused.push(one),
      ...options,
    });
    producers.push(created);
    return created;
  }
  const emitMany = (sut: Producer, from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, at) =>
      sut.emit('session.ended', session(`s${from + at}`), { id: `e${from + at}` }),
    );
  const ids = (one: Receiver) => one.received.map(({ id }) => id);
  const failing = (...behaviours: Behaviour[]) => ({
    behave: (request: number): Behaviour => behaviours[request] ?? 'take',
  });

  it('answers with the id at once, and delivers in batches', async () => {
    const other = await receiver();
    const sut = producer(other.url);
    const sent = emitMany(sut, 1, 1_200);
    expect([sent.length, other.requests.length]).toEqual([1_200, 0]);
    await sut.flush();
    expect(ids(other)).toEqual(sent);
    expect(other.requests.map(({ count }) => count)).toEqual([500, 500, 200]);
    expect(sut.stats()).toMatchObject({ accepted: 1_200, delivered: 1_200, waiting: 0, dropped: 0, away: undefined });
  });

  it('throws at once on what Rescind would refuse, and sends nothing of it', async () => {
    const other = await receiver();
    const sut = producer(other.url);
    expect(() => sut.emit('session.ended', { ...session('s1'), sid: '' })).toThrow(
      expect.objectContaining({ code: 'invalid-event' }),
    );
    expect(() => sut.emit('session.begun' as never, session('s1') as never)).toThrow(
      expect.objectContaining({ code: 'invalid-event' }),
    );
    expect(() => sut.emit('revocation.ordered' as never, {} as never)).toThrow(
      expect.objectContaining({ code: 'invalid-event' }),
    );
    expect(() => sut.emit('session.ended', session('eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2ln'))).toThrow(
      expect.objectContaining({ code: 'secret-in-event' }),
    );
    expect(() => sut.emit('session.ended', session('s1'), { id: '' })).toThrow(
      expect.objectContaining({ code: 'invalid-event' }),
    );
    await expect(sut.emitDurably('session.ended', { ...session('s1'), sub: 7 } as never)).rejects.toMatchObject({
      code: 'invalid-event',
    });
    await sut.close();
    expect(() => sut.emit('session.ended', session('s1'))).toThrow(expect.objectContaining({ code: 'shutting-down' }));
    expect(sut.stats().accepted).toBe(0);
    expect(() =>
      createProducer({
        source: '',
        transport: httpTransport({ url: other.url, credentials: { bearer: 'k' } }),
        onDropped() {},
        onRefused() {},
      }),
    ).toThrow(expect.objectContaining({ code: 'invalid-event' }));
    expect(() => producer(other.url, { maxWaiting: 0 })).toThrow(TypeError);
    expect(() => producer(other.url, { flushMs: Number.NaN })).toThrow(TypeError);
  });

  it('emitDurably answers when the event is in the ledger', async () => {
    const other = await receiver();
    const sut = producer(other.url, { flushMs: 10_000 });
    expect(await sut.emitDurably('session.ended', session('s1'), { id: 'e1' })).toEqual({
      id: 'e1',
      state: 'delivered',
      index: '0',
    });
    expect(await sut.emitDurably('session.ended', session('s1'), { id: 'e1' })).toEqual({
      id: 'e1',
      state: 'delivered',
      index: '0',
      duplicate: true,
    });
  });

  it.each<Behaviour>([
    'take-and-reset',
    'take-and-reset-mid-answer',
    'take-and-answer-garbage',
    'take-half-and-answer-short',
    'reset',
    'hang',
    'garbage',
    'unavailable',
    'too-many-requests',
    'too-large',
    'not-rescind',
    'not-found',
    'redirect',
    'forbidden',
  ])('delivers each event once, in order, after %s', async (behaviour) => {
    const other = await receiver(failing(behaviour, behaviour));
    const sut = producer(other.url, {}, behaviour === 'hang' ? LOST_MS : ANSWER_MS);
    const sent = emitMany(sut, 1, 20);
    await sut.flush();
    expect(ids(other)).toEqual(sent);
    expect([refused, dropped]).toEqual([[], []]);
    expect(sut.stats()).toMatchObject({
      delivered: 20,
      duplicates: behaviour.startsWith('take') && behaviour !== 'take' ? expect.any(Number) : 0,
    });
  });

  it('waits while connections are refused, and delivers when somebody listens', async () => {
    const gone = await startReceiver();
    await gone.stop();
    const sut = producer(gone.url);
    const durable = sut.emitDurably('session.ended', session('s0'), { id: 'e0' });
    emitMany(sut, 1, 5);
    const back = await receiver({ port: gone.port });
    expect(await durable).toMatchObject({ state: 'delivered' });
    await sut.flush();
    expect(ids(back)).toEqual(['e0', 'e1', 'e2', 'e3', 'e4', 'e5']);
  });

  it('never sends a refused event again, and reports it with its code', async () => {
    const other = await receiver({ refuses: ({ id }) => id === 'e2' && 'wrong-issuer' });
    const sut = producer(other.url);
    emitMany(sut, 1, 3);
    await expect(sut.emitDurably('session.ended', session('s'), { id: 'e2' })).rejects.toMatchObject({
      code: 'wrong-issuer',
      detail: 'event e2 was refused (wrong-issuer): not yours',
    });
    expect(ids(other)).toEqual(['e1', 'e3']);
    expect(refused.map(({ event, code }) => [event.id, code])).toEqual([
      ['e2', 'wrong-issuer'],
      ['e2', 'wrong-issuer'],
    ]);
    expect(sut.stats()).toMatchObject({ accepted: 4, delivered: 2, refused: 2, waiting: 0 });
  });

  it('treats an unknown reason as a refusal', async () => {
    const other = await receiver({ refuses: () => 'made-up-later' });
    const sut = producer(other.url);
    await expect(sut.emitDurably('session.ended', session('s1'))).rejects.toMatchObject({
      code: 'invalid-event',
      detail: expect.stringContaining('made-up-later'),
    });
    expect(refused.map(({ code }) => code)).toEqual(['made-up-later']);
  });

  it('finds the one event that a proxy will not let through, and delivers the others', async () => {
    const other = await receiver({ refusesWhole: ({ id }) => id === 'e42' });
    const sut = producer(other.url);
    emitMany(sut, 1, 64);
    await sut.flush();
    expect(ids(other)).toEqual(Array.from({ length: 64 }, (_, at) => `e${at + 1}`).filter((id) => id !== 'e42'));
    expect(refused.map(({ event, code }) => [event.id, code])).toEqual([['e42', 'too-large']]);
    expect(other.requests.length).toBeLessThan(20);
  });

  it('a wrong key holds events back instead of losing them', async () => {
    let key = 'old';
    const told: unknown[] = [];
    const log = {
      info() {},
      warn() {},
      error: (bindings: object) => void told.push((bindings as { code: unknown }).code),
    };
    const other = await receiver({ bearer: 'new' });
    const sut = producer(other.url, {
      transport: httpTransport({ url: other.url, credentials: () => ({ bearer: key }) }),
      log,
    });
    emitMany(sut, 1, 5);
    await other.until(() => other.requests.length > 3);
    expect([sut.stats().away, told]).toEqual(['unauthenticated', ['unauthenticated']]);
    // A caller that waits is told at once.
    await expect(sut.emitDurably('session.ended', session('s6'))).rejects.toMatchObject({ code: 'unauthenticated' });
    key = 'new';
    await sut.flush();
    expect([ids(other).length, refused, dropped]).toEqual([6, [], []]);
  });

  it('honours Retry-After', async () => {
    const other = await receiver({ ...failing('too-many-requests', 'unavailable'), retryAfter: '1' });
    const sut = producer(other.url);
    await sut.emitDurably('session.ended', session('s1'));
    const [first, second, third] = other.requests.map(({ at }) => at);
    expect(second! - first!).toBeGreaterThanOrEqual(990);
    expect(third! - second!).toBeGreaterThanOrEqual(990);
  });

  it('waits longer after each failure, up to the cap', async () => {
    const other = await receiver({ behave: (request) => (request < 8 ? 'unavailable' : 'take') });
    const sut = producer(other.url, { retry: { firstMs: 10, maxMs: 80 } });
    await sut.emitDurably('session.ended', session('s1'));
    const gaps = other.requests.slice(1).map(({ at }, before) => at - other.requests[before]!.at);
    gaps.forEach((gap, failures) => expect(gap).toBeGreaterThanOrEqual(Math.min(80, 10 * 2 ** failures) / 2 - 1));
    expect(sut.stats()).toMatchObject({ attempts: 9, failures: 8 });
  });

  it('bounds its memory: the newest events without room are dropped and reported', async () => {
    const other = await receiver({ behave: () => 'unavailable' });
    const sut = producer(other.url, { maxWaiting: 100 });
    emitMany(sut, 1, 150);
    await expect(sut.emitDurably('session.ended', session('s'))).rejects.toMatchObject({ code: 'overloaded' });
    expect(dropped.map(({ event, reason }) => [event?.id, reason]).slice(0, 2)).toEqual([
      ['e101', 'memory-full'],
      ['e102', 'memory-full'],
    ]);
    expect(sut.stats()).toMatchObject({ accepted: 151, waiting: 100, dropped: 51, droppedBy: { 'memory-full': 51 } });
    expect(await sut.close({ timeoutMs: 20 })).toEqual({ spooled: 0, dropped: 100 });
    expect(dropped.slice(51).map(({ event, reason }) => `${event?.id} ${reason}`)).toEqual(
      Array.from({ length: 100 }, (_, at) => `e${at + 1} closed`),
    );
  });

  it('bounds its bytes too', async () => {
    const other = await receiver({ behave: () => 'hang' });
    const sut = producer(other.url, { maxWaitingBytes: 2 * MAX_EVENT_BYTES });
    const big = { iss: SOURCE, token: { iss: SOURCE, jti: 't' }, operation: 'read' as const, path: 'p'.repeat(2_000) };
    const { iss: _, ...data } = big;
    for (let n = 0; n < 1_000; n++) sut.emit('access.allowed', data);
    const { waiting } = sut.stats();
    expect(waiting).toBeGreaterThan(200);
    expect(waiting).toBeLessThan(265);
    expect(dropped).toHaveLength(1_000 - waiting);
  });

  it('survives a callback that throws', async () => {
    const other = await receiver({ refuses: ({ id }) => id === 'e1' && 'wrong-issuer' });
    const sut = producer(other.url, {
      onRefused: () => {
        throw new Error('mine');
      },
    });
    emitMany(sut, 1, 2);
    await sut.flush();
    expect(ids(other)).toEqual(['e2']);
  });

  it('emitDurably stops waiting and says why, and the event still arrives', async () => {
    let broken = true;
    const other = await receiver({ behave: () => (broken ? 'unavailable' : 'take') });
    const sut = producer(other.url);
    await expect(sut.emitDurably('session.ended', session('s1'), { id: 'e1', timeoutMs: 50 })).rejects.toMatchObject({
      code: 'emit-failed',
      retryable: true,
      cause: { code: 'database-unavailable' },
    });
    await expect(sut.flush({ timeoutMs: 10 })).rejects.toMatchObject({ code: 'emit-failed' });
    broken = false;
    await sut.flush();
    expect(ids(other)).toEqual(['e1']);
  });

  it('close ends the waits of callers', async () => {
    const other = await receiver({ behave: () => 'hang' });
    const sut = producer(other.url);
    const durable = sut.emitDurably('session.ended', session('s1')).catch((error: unknown) => error);
    expect(await sut.close({ timeoutMs: 30 })).toEqual({ spooled: 0, dropped: 1 });
    expect(await durable).toMatchObject({ code: 'shutting-down' });
    expect(await sut.close()).toEqual({ spooled: 0, dropped: 1 });
  });

  describe('with a spool', () => {
    it('loses nothing in an outage longer than memory, and keeps the order', async () => {
      let broken = true;
      const other = await receiver({ behave: () => (broken ? 'unavailable' : 'take') });
      const sut = producer(other.url, { maxWaiting: 50, spool: { directory } });
      const sent: string[] = [];
      for (let n = 0; n < 20; n++) {
        sent.push(...emitMany(sut, n * 20, n * 20 + 19));
        await sut.emitDurably('session.ended', session('d'), { id: `d${n}`, until: 'spooled' });
        sent.push(`d${n}`);
      }
      expect(sut.stats()).toMatchObject({ waiting: 420, spooled: 420, dropped: 0 });
      broken = false;
      await sut.flush();
      expect(ids(other)).toEqual(sent);
      expect(sut.stats()).toMatchObject({ spooled: 0, spoolBytes: expect.any(Number), delivered: 420 });
      await sut.emitDurably('session.ended', session('after'));
    });

    it('is used while an answer is overdue, before it is known to be lost', async () => {
      const other = await receiver({ behave: () => 'hang' });
      const sut = producer(other.url, { spool: { directory } });
      expect(await sut.emitDurably('session.ended', session('s1'), { id: 'e1', until: 'spooled' })).toEqual({
        id: 'e1',
        state: 'spooled',
      });
      expect(await sut.close({ timeoutMs: 1 })).toEqual({ spooled: 1, dropped: 0 });
    });

    it('writes the remaining events to disk at close, and the next producer delivers them first', async () => {
      const gone = await startReceiver({ behave: () => 'unavailable' });
      const first = producer(gone.url, { spool: { directory } });
      emitMany(first, 1, 700);
      expect(await first.close({ timeoutMs: 20 })).toEqual({ spooled: 700, dropped: 0 });
      await gone.stop();
      const back = await receiver();
      const sut = producer(back.url, { spool: { directory } });
      emitMany(sut, 701, 800);
      await sut.flush();
      expect(ids(back)).toEqual(Array.from({ length: 800 }, (_, at) => `e${at + 1}`));
      expect(sut.stats()).toMatchObject({ recovered: 700, accepted: 100, delivered: 800, waiting: 0 });
    });

    it('keeps events in memory if the disk is full, then drops and reports the newest', async () => {
      let broken = true;
      const other = await receiver({ behave: () => (broken ? 'reset' : 'take') });
      const sut = producer(other.url, { maxWaiting: 60, spool: { directory, maxBytes: 20_000 } });
      let n = 0;
      const untilSpooled = () => {
        n++;
        return sut
          .emitDurably('session.ended', session(`s${n}`), { id: `e${n}`, until: 'spooled', timeoutMs: 2_000 })
          .then(
            () => true,
            () => false,
          );
      };
      while (await untilSpooled());
      emitMany(sut, n + 1, 300);
      const { spooled, spoolBytes, waiting } = sut.stats();
      expect(spoolBytes).toBeLessThanOrEqual(20_000);
      expect(spooled).toBeGreaterThan(50);
      expect(waiting).toBe(spooled + 60);
      expect(new Set(dropped.map(({ reason }) => reason))).toEqual(new Set(['spool-full']));
      expect(waiting + dropped.length).toBe(300);
      broken = false;
      await sut.flush();
      const lost = new Set(dropped.map(({ event }) => event?.id));
      expect(ids(other)).toEqual(Array.from({ length: 300 }, (_, at) => `e${at + 1}`).filter((id) => !lost.has(id)));
    });

    it('reports a disk that refuses writes, and tries it again', async () => {
      let broken = true;
      const other = await receiver({ behave: () => (broken ? 'reset' : 'take') });
      const errors: string[] = [];
      const sut = producer(other.url, {
        maxWaiting: 20,
        spool: { directory },
        log: { info() {}, warn() {}, error: (_bindings, message) => void errors.push(message) },
      });
      await rm(directory, { recursive: true });
      emitMany(sut, 1, 10);
      await other.until(() => other.requests.length > 2 && errors.length > 0);
      emitMany(sut, 11, 30);
      expect(errors).toContain('the spool could not be written');
      expect(dropped.map(({ event, reason }) => `${event?.id} ${reason}`)).toEqual(
        Array.from({ length: 10 }, (_, at) => `e${at + 21} spool-failed`),
      );
      broken = false;
      await sut.flush();
      expect(ids(other)).toEqual(Array.from({ length: 20 }, (_, at) => `e${at + 1}`));
      await sut.close();
      directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
    });
  });
});
