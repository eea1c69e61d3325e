import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { createLease, LEASE_FRACTION, type Confirmation } from '../../../src/lease/lease.js';
import { createMembership, type Membership } from '../../../src/control/follow/membership.pg.js';
import { createNodeRows } from '../../../src/control/follow/node-rows.pg.js';
import type { Seq } from '../../../src/control/index.js';
import { testLog } from '../../support/services.js';
import { createControlDatabase, LEASE_MS, type ControlDatabase } from './control-fixture.js';

/** The confirmation of a node whose guards have all applied as much. */
const all = (applied: number): Confirmation => ({ applied: BigInt(applied) as Seq, behind: new Map() });

describe('the row of a node', () => {
  let control: ControlDatabase;
  let session: Client;
  beforeAll(async () => {
    control = await createControlDatabase();
    session = new Client({ connectionString: control.url });
    await session.connect();
  });
  afterAll(async () => {
    await session.end();
    await control.drop();
  });

  const rowOf = async (id: string) => (await createNodeRows(session).read()).find((row) => row.id === id);

  async function joined(): Promise<string> {
    const id = randomUUID();
    await createNodeRows(session).join(id, 'spec', LEASE_MS);
    return id;
  }

  it('is not deleted by a waiter that saw it before its last renewal', async () => {
    const sut = createNodeRows(session);
    const id = await joined();
    const { counter: before } = (await rowOf(id))!;
    await sut.renew(id, all(0), 0);
    expect([await sut.reap(id, before), (await rowOf(id))?.counter]).toEqual([false, before + 1n]);
    expect([await sut.reap(id, before + 1n), await rowOf(id)]).toEqual([true, undefined]);
  });

  it('never takes back what it has confirmed', async () => {
    const sut = createNodeRows(session);
    const id = await joined();
    await sut.acknowledge(id, all(7), 2);
    await sut.acknowledge(id, all(5), 1);
    expect(await rowOf(id)).toMatchObject({ confirmed: 7n, guards: 1 });
    await sut.renew(id, all(6), 0);
    expect(await rowOf(id)).toMatchObject({ confirmed: 7n, guards: 0 });
  });

  describe('is what a lease is renewed by:', () => {
    /** A node that has joined and read to the end, on a clock that passes by as much as an answer is said to take. */
    async function given(): Promise<{
      membership: Membership;
      remainingMs(): number;
      pass(ms: number): void;
      answerTakes(ms: number): void;
    }> {
      let now = 10_000;
      let late = 0;
      const clock = () => ({ monotonic: now, withStops: now });
      const lease = createLease({ leaseMs: LEASE_MS, fraction: LEASE_FRACTION });
      const slow = new Proxy(session, {
        get(target, property) {
          const member = Reflect.get(target, property) as unknown;
          if (typeof member !== 'function') return member;
          if (property !== 'query') return member.bind(target) as unknown;
          return async (...parameters: unknown[]) => {
            const answer = (await Reflect.apply(member, target, parameters)) as unknown;
            now += late;
            return answer;
          };
        },
      });
      const membership = createMembership({ lease, clock, leaseMs: LEASE_MS, cycleMs: 500, log: testLog() });
      const renewing: Membership = { ...membership, renewWhenDue: () => membership.renewWhenDue(slow) };
      await membership.join(session);
      lease.applied(0n as Seq, true);
      return {
        membership: renewing,
        remainingMs: () => lease.remainingMs(clock()),
        pass: (ms) => void (now += ms),
        answerTakes: (ms) => void (late = ms),
      };
    }
    const USABLE_MS = LEASE_FRACTION * LEASE_MS;

    it('the lease runs from before the renewal was sent, however late its answer is', async () => {
      const { membership, remainingMs, answerTakes } = await given();
      answerTakes(1_000);
      await membership.renewWhenDue(session);
      expect(remainingMs()).toBe(USABLE_MS - 1_000);
    });

    it('a renewal with a warning of the server renews nothing', async () => {
      const { membership, remainingMs, pass } = await given();
      await membership.renewWhenDue(session);
      pass(1_000);
      // The server warns like this if the wait for a standby was cancelled: the row has moved here, and perhaps not elsewhere.
      await control.pool.query(`
        CREATE FUNCTION spec_warn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'committed here alone' USING ERRCODE = '01000'; RETURN NEW; END $$;
        CREATE TRIGGER spec_warn BEFORE UPDATE ON node FOR EACH ROW EXECUTE FUNCTION spec_warn()`);
      try {
        await expect(membership.renewWhenDue(session)).rejects.toMatchObject({ code: 'database-unavailable' });
      } finally {
        await control.pool.query('DROP FUNCTION spec_warn CASCADE');
      }
      expect(remainingMs()).toBe(USABLE_MS - 1_000);
      await membership.renewWhenDue(session);
      expect(remainingMs()).toBe(USABLE_MS);
    });
  });
});
