import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ControlLog, ControlRecord, Seq } from '../../../src/control/index.js';
import { createControlDatabase, hostClock, LEASE_MS, record, until, type ControlDatabase } from './control-fixture.js';

/** The protocol's bounds: how long a node answers after it sent its last successful renewal, and how often it reads. */
const ANSWER_MS = 0.75 * LEASE_MS;
const CYCLE_MS = 500;

const FOLLOWERS = `FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'rescind-control'`;

describe('following the control log', () => {
  let control: ControlDatabase;
  beforeEach(async () => {
    control = await createControlDatabase();
  });
  afterEach(() => control.drop());

  it('has applied every committed record when it has started, however many reads that takes', async () => {
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

  it('finds by polling the records that no notification announced', async () => {
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

  it('becomes current even if records never stop coming', async () => {
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
    it('loses neither the lease nor the row: the node goes on answering and reconnects within its lease', async () => {
      const sut = control.follow();
      await sut.start();
      const row = await control.value<string>('SELECT id FROM node');
      let interruptions = 0;
      const watch = setInterval(() => {
        if (!sut.isCurrent()) interruptions += 1;
      }, 1);
      await control.terminateFollowers();
      await sut.whenInForce(await control.append());
      const renewedFrom = await control.value<string>('SELECT counter FROM node');
      await until(
        'it renews again',
        async () => BigInt(await control.value<string>('SELECT counter FROM node')) > BigInt(renewedFrom),
      );
      clearInterval(watch);
      expect([interruptions, await control.value<string>('SELECT id FROM node')]).toEqual([0, row]);
    });

    it('is woken by NOTIFY again afterwards', async () => {
      const sut = control.follow();
      await sut.start();
      await control.terminateFollowers();
      await sut.whenInForce(await control.append());
      const startedAt = performance.now();
      for (let n = 0; n < 10; n++) await sut.whenInForce(await control.append());
      expect(performance.now() - startedAt).toBeLessThan((10 * CYCLE_MS) / 2);
    });
  });

  describe('a process that cannot read', () => {
    it('stops being current when its reads are blocked, gives way on the server, and recovers', async () => {
      const sut = control.follow();
      await sut.start();
      await sut.whenInForce(await control.append());
      const lock = await control.hold('LOCK TABLE control_log IN ACCESS EXCLUSIVE MODE');
      const lockedAt = hostClock();
      const blocked = `SELECT pid ${FOLLOWERS} AND wait_event_type = 'Lock'`;
      await until('its read waits', async () => (await control.value(blocked)) !== undefined);
      const pid = await control.value<number>(blocked);
      await until('it is not current', () => !sut.isCurrent());
      expect(sut.lastCurrentAt() - lockedAt).toBeLessThan(ANSWER_MS);
      await until(
        'its statement has ended',
        async () => (await control.value<number>(`${blocked} AND pid = ${pid}`)) === undefined,
      );
      expect(sut.isCurrent()).toBe(false);
      await lock();
      await until('it is current again', () => sut.isCurrent());
      await sut.whenInForce(await control.append());
    });

    it('is not current when it wakes from a pause, before it has received anything', async () => {
      const sut = control.follow();
      await sut.start();
      await until('it is current', () => sut.isCurrent());
      // The loop is blocked as by SIGSTOP: neither timers nor sockets are served until the check below.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ANSWER_MS);
      expect(sut.isCurrent()).toBe(false);
      expect(sut.notCurrentReason()).toBe('this node holds no lease');
      await until('it is current again', () => sut.isCurrent());
    });

    it('is not current when the wall clock says that its host was suspended, whatever the monotonic one says', async () => {
      const sut = control.follow();
      await sut.start();
      const wall = Date.now;
      const clock = jest.spyOn(Date, 'now').mockImplementation(() => wall() + ANSWER_MS);
      try {
        expect(sut.isCurrent()).toBe(false);
        await until('it is current again', () => sut.isCurrent());
      } finally {
        clock.mockRestore();
      }
    });
  });

  it('is not ready while its wall clock is more than 2 s from the database server’s', async () => {
    const sut = control.follow();
    await sut.start();
    expect(sut.notCurrentReason()).toBeUndefined();
    const wall = Date.now;
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => wall() - 3_000);
    try {
      await until('it says so', () =>
        /^the clock of this host is (29|30)\d\d ms from the database's$/.test(sut.notCurrentReason() ?? ''),
      );
    } finally {
      clock.mockRestore();
    }
    await until('it is ready again', () => sut.notCurrentReason() === undefined);
  });

  it.each([
    ['shorter', 0],
    ['as long, with other records', 2],
    ['longer, with other records', 5],
  ])('never answers again if another control log replaces its own, which is %s', async (_, others) => {
    const sut = control.follow();
    await sut.start();
    const old = await control.append();
    await control.append();
    await sut.whenInForce(await control.append());
    await control.value(`
      WITH gone AS (DELETE FROM control_log WHERE seq > ${old}), said AS (UPDATE node SET confirmed = ${old})
      UPDATE control_head SET seq = ${old}`);
    for (let n = 0; n < others; n++) await control.append();
    await until('it answers no more', () => !sut.isCurrent());
    expect(sut.notCurrentReason()).toMatch(/restart this process/);
    // A record that it has not applied is not confirmed, though it has seen a record of that seq.
    expect(sut.state.head).toBe(old + 2n);
    await expect(sut.whenInForce((old + 1n) as Seq)).rejects.toMatchObject({ code: 'not-confirmed' });
    await until('it has left', async () => (await control.value('SELECT id FROM node')) === undefined);
    const again = control.follow();
    await again.start();
    await again.whenInForce(await control.append());
  });

  it('stops at a record of a version that it cannot read, and leaves, so that a newer release need not wait', async () => {
    const sut = control.follow();
    await sut.start();
    await control.append();
    await sut.whenApplied(1n as Seq);
    await control.insertUnannounced(1, { version: 99 });
    await until('it is not current', () => !sut.isCurrent());
    expect(sut.notCurrentReason()).toMatch(/control record 2 has version 99 of tenant.changed/);
    await until('its row is gone', async () => (await control.value<string>('SELECT count(*) FROM node')) === '0');
    await until(
      'it follows no longer',
      async () => (await control.value<string>(`SELECT count(*) ${FOLLOWERS}`)) === '0',
    );
    expect(sut.state.head).toBe(1n);
    await expect(control.follow().start()).rejects.toThrow(/version 99 of tenant.changed/);
  });

  it('refuses a lease outside its bounds', () => {
    for (const leaseMs of [1_999, 30_001, Number.NaN]) expect(() => control.follow({ leaseMs })).toThrow(RangeError);
  });
});
