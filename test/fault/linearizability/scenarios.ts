import { join } from 'node:path';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Client } from 'pg';
import type * as inForceModule from '../../../src/control/follow/in-force.js';
import type * as control from '../../../src/control/index.js';
import type * as leaseModule from '../../../src/lease/lease.js';
import type * as membershipModule from '../../../src/control/follow/membership.pg.js';
import type * as nodeRowsModule from '../../../src/control/follow/node-rows.pg.js';
import { type Log } from '../../../src/platform/log/index.js';
import { createPool } from '../../../src/platform/postgres/index.js';

type ControlModule = typeof control;
type InForceModule = typeof inForceModule;
type LeaseModule = typeof leaseModule;
type MembershipModule = typeof membershipModule;
type NodeRowsModule = typeof nodeRowsModule;
type Seq = Parameters<ReturnType<InForceModule['createInForce']>['wait']>[0];
type Rows = Parameters<InForceModule['createInForce']>[0]['rows'];
type Row = Awaited<ReturnType<Rows['read']>>[number];

export interface Surroundings {
  /** Directory of the compiled product. */
  readonly product: string;
  /** A migrated database of its own, and a session on it. */
  readonly url: string;
  readonly session: Client;
  readonly log: Log;
}

/** Whether the promise of the protocol was broken. */
type Scenario = (surroundings: Surroundings) => Promise<boolean>;

const LEASE_MS = 2_000;
const LOOK_EVERY_MS = 10;
const CYCLE_MS = 1;
const NOBODY_GIVES_UP_MS = 3_600_000;
const REPLY_TOOK_MS = 700;

const load = <M>(product: string, file: string): Promise<M> =>
  import(pathToFileURL(join(product, file)).href) as Promise<M>;

/** One scenario a trap that no run can aim at, by the trap's name. Each drives the compiled line itself. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'lease-flag': async ({ product, url, log }) => {
    const { createControlFollower, createControlLog } = await load<ControlModule>(product, 'control/index.js');
    const pool = createPool({ url, max: 2, applicationName: 'scenario' });
    const follower = createControlFollower({
      url,
      controlLog: createControlLog({ pool }),
      log,
      serves: true,
      leaseMs: LEASE_MS,
    });
    await follower.start();
    while (!follower.isCurrent()) await delay(LOOK_EVERY_MS);
    // The process stands still for a lease; the first thing that it does then is to decide.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LEASE_MS);
    const answers = follower.isCurrent();
    await follower.stop();
    await pool.end();
    return answers;
  },

  'clock-after-reply': async ({ product, session, log }) => {
    const node = await joinedNode(product, session, log);
    node.afterEachQuery(() => node.advance(REPLY_TOOK_MS));
    await node.membership.renewWhenDue(node.session);
    return node.lease.remainingMs(node.clock()) > LEASE_MS * node.fraction - REPLY_TOOK_MS;
  },

  'renewal-not-durable': async ({ product, session, log }) => {
    const node = await joinedNode(product, session, log);
    await session.query(
      `CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'perhaps on no standby'; RETURN NEW; END $$`,
    );
    await session.query('CREATE TRIGGER warn BEFORE UPDATE ON node FOR EACH ROW EXECUTE FUNCTION warn()');
    await node.membership.renewWhenDue(node.session).catch(() => undefined);
    return node.lease.mayAnswer(node.clock());
  },

  'reap-any-counter': async ({ product, session }) => {
    const { createNodeRows } = await load<NodeRowsModule>(product, 'control/follow/node-rows.pg.js');
    const rows = createNodeRows(session);
    await rows.join('00000000-0000-4000-8000-00000000000a', 'living', LEASE_MS);
    const [read] = await rows.read();
    await session.query('UPDATE node SET counter = counter + 1');
    return rows.reap(read!.id, read!.counter);
  },

  'wait-joins-read': async ({ product, session }) => {
    const { createInForce } = await load<InForceModule>(product, 'control/follow/in-force.js');
    const { createNodeRows } = await load<NodeRowsModule>(product, 'control/follow/node-rows.pg.js');
    const real = createNodeRows(session);
    const reads = heldReads(() => real.read());
    const inForce = createInForce({
      rows: { read: reads.read, reap: () => Promise.resolve(false) },
      timeoutMs: NOBODY_GIVES_UP_MS,
      cycleMs: CYCLE_MS,
      onError: fail,
    });
    const first = await reads.next();
    await real.join('00000000-0000-4000-8000-00000000000b', 'behind', LEASE_MS);
    let isOver = false;
    const waiting = inForce
      .wait(1n as Seq)
      .then(() => {
        isOver = true;
        return isOver;
      })
      .catch(() => false);
    first();
    const second = await reads.next();
    await turn();
    const wasOver = isOver;
    second();
    reads.letGo();
    await inForce.stop();
    await waiting;
    return wasOver;
  },

  'clock-before-read': async ({ product }) => {
    const { createInForce } = await load<InForceModule>(product, 'control/follow/in-force.js');
    const clock = stoppedClock();
    try {
      const row = {
        id: 'living',
        counter: 1n,
        confirmed: 0n,
        byTenant: { applied: 0n, behind: new Map() },
        guards: 0,
        leaseMs: LEASE_MS,
      } as unknown as Row;
      const reads = heldReads(() => Promise.resolve([row]));
      let isReaped = false;
      const reap = (): Promise<boolean> => {
        isReaped = true;
        return Promise.resolve(true);
      };
      const inForce = createInForce({
        rows: { read: reads.read, reap },
        timeoutMs: NOBODY_GIVES_UP_MS,
        cycleMs: CYCLE_MS,
        onError: fail,
      });
      const first = await reads.next();
      clock.advance(LEASE_MS);
      first();
      const second = await reads.next();
      second();
      const third = await reads.next();
      const wasReaped = isReaped;
      third();
      reads.letGo();
      await inForce.stop();
      return wasReaped;
    } finally {
      clock.restore();
    }
  },
};

function fail(error: unknown): never {
  throw error;
}

interface HeldReads {
  readonly read: Rows['read'];
  /** Resolves when a read has its rows, with the function that answers it. */
  next(): Promise<() => void>;
  /** Later reads are answered at once. */
  letGo(): void;
}

/** Reads whose replies are held back after the real read. */
function heldReads(read: Rows['read']): HeldReads {
  const held: (() => void)[] = [];
  let told: ((answer: () => void) => void) | undefined;
  let isHolding = true;
  return {
    async read() {
      const rows = await read();
      if (!isHolding) return rows;
      await new Promise<void>((resolve) => {
        if (told) told(resolve);
        else held.push(resolve);
        told = undefined;
      });
      return rows;
    },
    next() {
      const first = held.shift();
      if (first) return Promise.resolve(first);
      return new Promise((resolve) => {
        told = resolve;
      });
    },
    letGo() {
      isHolding = false;
      for (const answer of held.splice(0)) answer();
    },
  };
}

/** Stops the monotonic clock of this process, which then goes by `advance` alone. */
function stoppedClock(): { advance(ms: number): void; restore(): void } {
  const real = performance.now;
  // Whole milliseconds: the sum of a fraction and a lease may round to less than a lease later.
  let now = Math.ceil(real.call(performance));
  performance.now = () => now;
  return {
    advance(ms) {
      now += ms;
    },
    restore() {
      performance.now = real;
    },
  };
}

interface JoinedNode {
  readonly lease: ReturnType<LeaseModule['createLease']>;
  readonly membership: ReturnType<MembershipModule['createMembership']>;
  readonly fraction: number;
  /** The real session; each reply to a statement is heard when `afterEachQuery` has run. */
  readonly session: Client;
  clock(): { readonly monotonic: number; readonly withStops: number };
  advance(ms: number): void;
  afterEachQuery(act: () => void): void;
}

/** A node that has joined and read the log, and has not renewed yet; its clock goes by hand. */
async function joinedNode(product: string, session: Client, log: Log): Promise<JoinedNode> {
  const { createLease, LEASE_FRACTION } = await load<LeaseModule>(product, 'lease/lease.js');
  const { createMembership } = await load<MembershipModule>(product, 'control/follow/membership.pg.js');
  let now = 0;
  let act = (): void => undefined;
  const clock = (): { monotonic: number; withStops: number } => ({ monotonic: now, withStops: now });
  const lease = createLease({ leaseMs: LEASE_MS, fraction: LEASE_FRACTION });
  const membership = createMembership({ lease, clock, leaseMs: LEASE_MS, cycleMs: CYCLE_MS, log });
  const late = new Proxy(session, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== 'function') return member;
      if (name !== 'query') return member.bind(target) as unknown;
      return async (...parameters: unknown[]) => {
        const result = (await Reflect.apply(member, target, parameters)) as unknown;
        act();
        return result;
      };
    },
  });
  await membership.join(late);
  lease.applied(0n as Seq, true);
  return {
    lease,
    membership,
    fraction: LEASE_FRACTION,
    session: late,
    clock,
    advance(ms) {
      now += ms;
    },
    afterEachQuery(then) {
      act = then;
    },
  };
}
