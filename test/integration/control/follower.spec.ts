import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LEASE_MS, type ControlLog, type ControlRecord, type Seq } from '../../../src/control/index.js';
import { createControlDatabase, record, startLink, until, type ControlDatabase, type Link } from './control-fixture.js';

/** The protocol's bounds: how long a process answers after the start of its last successful read, and how often it reads. */
const ANSWER_MS = 0.75 * LEASE_MS;
const CYCLE_MS = 500;
const TAKE_SERVING_LOCK = 'SELECT pg_advisory_xact_lock(7423)';

const SERVING_LOCKS = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
const FOLLOWERS = `FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'rescind-control'`;

const failureOf = (work: Promise<unknown>): Promise<unknown> => work.then(() => 'resolved', (error: unknown) => (error as { code?: string }).code ?? error);

describe('following the control log', () => {
  let control: ControlDatabase;
  beforeEach(async () => {
    control = await createControlDatabase();
  });
  afterEach(() => control.drop());

  it('has applied everything that was committed when it has started, however many reads that takes', async () => {
    await control.insertUnannounced(12_000);
    const sut = control.follow();
    await sut.start();
    expect([sut.state.head, sut.isCurrent(), sut.notCurrentReason()]).toEqual([12_000n, true, undefined]);
  });

  it('is woken by NOTIFY: ten records one after the other take less than half of what polling would', async () => {
    const sut = control.follow();
    await sut.start();
    const startedAt = performance.now();
    for (let n = 0; n < 10; n++) {
      const applied = new Promise<void>((resolve) => {
        sut.onApplied(() => resolve());
      });
      await control.append();
      await applied;
    }
    expect(performance.now() - startedAt).toBeLessThan((10 * CYCLE_MS) / 2);
  });

  it('finds by polling what no notification told of', async () => {
    const sut = control.follow();
    await sut.start();
    await control.insertUnannounced(1);
    await until('the record is applied', () => sut.state.head === 1n);
  });

  it('tells listeners of every record once and in order, over lost sessions too', async () => {
    const sut = control.follow();
    const told: bigint[] = [];
    sut.onApplied((records: readonly ControlRecord[]) => told.push(...records.map(({ seq }) => seq)));
    await sut.start();
    for (let n = 1; n <= 9; n++) {
      if (n % 3 === 0) await control.terminateFollowers();
      await control.append(record(), record());
    }
    await sut.whenApplied(18n as Seq);
    expect(told).toEqual(Array.from({ length: 18 }, (_, at) => BigInt(at + 1)));
  });

  it('becomes current although records never stop coming', async () => {
    let first = true;
    const flooded: ControlLog = {
      ...control.controlLog,
      async readAfter(seq, session) {
        if (first) expect(sut.isCurrent()).toBe(false);
        first = false;
        await control.append();
        return control.controlLog.readAfter(seq, session);
      },
    };
    const sut = control.follow({ controlLog: flooded });
    await sut.start();
    expect([sut.isCurrent(), sut.state.head > 0n]).toEqual([true, true]);
  });

  describe('a lost session', () => {
    it('ends being current at once, and is recovered from without an operator', async () => {
      const sut = control.follow();
      await sut.start();
      const seq = await control.append();
      await sut.whenInForce(seq);
      // Queues for the serving lock, so that it cannot be taken back before it was looked at.
      const queued = control.hold(TAKE_SERVING_LOCK);
      await until('the other session waits for the lock', () => control.value<boolean>(`SELECT EXISTS (${SERVING_LOCKS} AND NOT granted)`));
      const lostAt = performance.now();
      await control.terminateFollowers();
      await until('it is not current', () => !sut.isCurrent());
      expect(sut.lastCurrentAt() - lostAt).toBeLessThan(CYCLE_MS);
      expect(await failureOf(sut.whenInForce(seq))).toBe('not-confirmed');
      await until('it has reconnected', () => sut.notCurrentReason() === 'another process answers introspection');
      expect(sut.isCurrent()).toBe(false);

      await (await queued).release();
      await until('it is current again', () => sut.isCurrent());
      // Its own row is no crash: nobody else has answered meanwhile.
      const recoveredAt = performance.now();
      await sut.whenInForce(await control.append());
      expect(performance.now() - recoveredAt).toBeLessThan(LEASE_MS);
    });

    it('is woken by NOTIFY again afterwards', async () => {
      const sut = control.follow();
      await sut.start();
      await control.terminateFollowers();
      await until('it noticed', () => !sut.isCurrent());
      await until('it is current again', () => sut.isCurrent());
      const startedAt = performance.now();
      for (let n = 0; n < 10; n++) {
        const applied = new Promise<void>((resolve) => {
          sut.onApplied(() => resolve());
        });
        await control.append();
        await applied;
      }
      expect(performance.now() - startedAt).toBeLessThan((10 * CYCLE_MS) / 2);
    });
  });

  describe('a process that cannot read', () => {
    it('stops being current when its reads are blocked, gives way on the server, and recovers', async () => {
      const sut = control.follow();
      await sut.start();
      await sut.whenInForce(await control.append());
      const reader = (): Promise<number> => control.value<number>(`SELECT pid ${FOLLOWERS} ORDER BY backend_start LIMIT 1`);
      const pid = await reader();
      const lock = await control.hold('LOCK TABLE control_log IN ACCESS EXCLUSIVE MODE');
      const lockedAt = performance.now();
      await until('it is not current', () => !sut.isCurrent());
      expect(sut.lastCurrentAt() - lockedAt).toBeLessThan(ANSWER_MS);
      // Left waiting, the session would hold the serving lock for as long as the table is locked.
      await until('its session has ended', async () => (await reader()) !== pid);
      expect(sut.isCurrent()).toBe(false);
      await lock.release();
      await until('it is current again', () => sut.isCurrent());
      await sut.whenInForce(await control.append());
    });

    it('is not current when it wakes from a pause, before it has heard of anything', async () => {
      const sut = control.follow();
      await sut.start();
      await until('it is current', () => sut.isCurrent());
      // As SIGSTOP does: neither timers nor sockets are served until the check below.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ANSWER_MS);
      expect(sut.isCurrent()).toBe(false);
      expect(sut.notCurrentReason()).toBe('the control log has not been read for too long');
      await until('it is current again', () => sut.isCurrent());
    });
  });

  it('stops at a record of a version it cannot read, and leaves serving to a release that can', async () => {
    const sut = control.follow();
    await sut.start();
    await control.append();
    await sut.whenApplied(1n as Seq);
    await control.insertUnannounced(1, { version: 2 });
    await until('it is not current', () => !sut.isCurrent());
    expect(sut.notCurrentReason()).toMatch(/control record 2 has version 2 of tenant.changed/);
    await until('the serving lock is free', () => control.value<boolean>(`SELECT pg_try_advisory_xact_lock(7423)`));
    await until('it follows no longer', async () => (await control.value<string>(`SELECT count(*) ${FOLLOWERS}`)) === '0');
    expect(sut.state.head).toBe(1n);
    await expect(control.follow().start()).rejects.toThrow(/version 2 of tenant.changed/);
  });
});

describe('one process answers', () => {
  let control: ControlDatabase;
  beforeEach(async () => {
    control = await createControlDatabase();
  });
  afterEach(() => control.drop());

  it('a process that does not serve follows, and confirms nothing', async () => {
    const sut = control.follow({ serves: false });
    await sut.start();
    const seq = await control.append();
    await sut.whenApplied(seq);
    expect([sut.isCurrent(), sut.notCurrentReason(), await failureOf(sut.whenInForce(seq))]).toEqual([false, undefined, 'not-confirmed']);
  });

  it('the second is current when the first has left, not before, and need not wait', async () => {
    const first = control.follow();
    await first.start();
    const second = control.follow();
    await second.start();
    for (let n = 0; n < 3; n++) await second.whenApplied(await control.append());
    expect([first.isCurrent(), second.isCurrent(), second.notCurrentReason()]).toEqual([true, false, 'another process answers introspection']);
    expect(await failureOf(second.whenInForce(1n as Seq))).toBe('not-confirmed');
    await first.stop();
    expect([first.isCurrent(), first.notCurrentReason()]).toEqual([false, 'stopping']);
    await until('the second is current', () => second.isCurrent());
    const startedAt = performance.now();
    await second.whenInForce(await control.append());
    expect(performance.now() - startedAt).toBeLessThan(LEASE_MS);
  });

  it('the second answers from a read that began when it had the lock, from no earlier one', async () => {
    const first = control.follow();
    await first.start();
    let gate: Promise<void> | undefined;
    let isAtGate = false;
    const gated: ControlLog = {
      ...control.controlLog,
      async readAfter(seq, session) {
        if (gate && (await control.value<string>('SELECT count(*) FROM node')) === '1' && second.notCurrentReason() !== 'another process answers introspection') {
          isAtGate = true;
          await gate;
        }
        return control.controlLog.readAfter(seq, session);
      },
    };
    const second = control.follow({ controlLog: gated });
    await second.start();
    let open = (): void => undefined;
    gate = new Promise((resolve) => {
      open = resolve;
    });
    await first.stop();
    const seq = await control.append();
    await until('the second has the lock and is about to read', () => isAtGate);
    const seen = [second.state.head, second.isCurrent()];
    gate = undefined;
    open();
    expect(seen).toEqual([0n, false]);
    await until('the second is current', () => second.isCurrent());
    expect(second.state.head).toBe(seq);
  });

  describe('after a crash', () => {
    let link: Link;
    beforeEach(async () => {
      link = await startLink(control.url);
    });
    afterEach(() => link.close());

    it('no order is in force before the process that vanished has stopped answering', async () => {
      const first = control.follow({ url: link.url });
      await first.start();
      const second = control.follow();
      await second.start();
      await until('the first is current', () => first.isCurrent());

      // The first still runs, hears nothing, and believes in its lease; the server ends its session.
      link.sever();
      const vanishedAt = performance.now();
      await control.pool.query(`SELECT pg_terminate_backend(pid) FROM (${SERVING_LOCKS} AND granted) AS held`);
      await until('the second is current', () => second.isCurrent());
      const seq = await control.append();
      const ofFirst = failureOf(first.whenInForce(seq));
      await second.whenApplied(seq);
      // What the fence is for: the first answers without the record that the second has applied.
      expect([first.isCurrent(), first.state.head < seq]).toEqual([true, true]);

      await second.whenInForce(seq);
      expect(first.isCurrent()).toBe(false);
      expect(first.lastCurrentAt() - vanishedAt).toBeLessThan(ANSWER_MS);
      expect(performance.now() - vanishedAt).toBeGreaterThanOrEqual(LEASE_MS);
      // In force once, at once from then on.
      const startedAt = performance.now();
      await second.whenInForce(await control.append());
      expect(performance.now() - startedAt).toBeLessThan(LEASE_MS);
      expect(await ofFirst).toBe('not-confirmed');
    });
  });

  describe('the fence', () => {
    const leaveRow = (): Promise<unknown> => control.pool.query('INSERT INTO node (id) VALUES (gen_random_uuid())');

    it('outlasts a lost session of the process that waits behind it', async () => {
      await leaveRow();
      const sut = control.follow();
      const startedAt = performance.now();
      await sut.start();
      const seq = await control.append();
      await sut.whenApplied(seq);
      const waiting = failureOf(sut.whenInForce(seq));
      await control.terminateFollowers();
      await until('it noticed', () => !sut.isCurrent());
      await until('it is current again', () => sut.isCurrent());
      await sut.whenInForce(await control.append());
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(LEASE_MS);
      expect(await waiting).toBe('resolved');
    });

    it('is handed on by a process that leaves behind it', async () => {
      await leaveRow();
      const first = control.follow();
      await first.start();
      const startedAt = performance.now();
      await first.stop();
      const second = control.follow();
      await second.start();
      await until('the second is current', () => second.isCurrent());
      await second.whenInForce(await control.append());
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(LEASE_MS);
      await second.stop();
      expect(await control.value<string>('SELECT count(*) FROM node')).toBe('0');
    });

    it('does not confirm for a process that lost the lock while it waited', async () => {
      await leaveRow();
      const sut = control.follow();
      await sut.start();
      const waiting = failureOf(sut.whenInForce(await control.append()));
      const queued = control.hold(TAKE_SERVING_LOCK);
      await until('the other session waits for the lock', () => control.value<boolean>(`SELECT EXISTS (${SERVING_LOCKS} AND NOT granted)`));
      await control.terminateFollowers();
      expect(await waiting).toBe('not-confirmed');
      await (await queued).release();
    });
  });
});
