import { setTimeout as delay } from 'node:timers/promises';
import type { ControlFollower, Seq, Settled } from '../../control/index.js';

/** Waits for records of one tenant that run at once. Records beyond it are told when they are in force, without their nodes. */
const MAX_WAITS = 50;
/** Records of one tenant that are remembered, with who confirmed them. */
const MAX_REMEMBERED = 1_000;
/** Guards that are named for one record. All are counted. */
const MAX_NAMED_GUARDS = 500;
/** Delay before a record that could not be confirmed in time is waited for again. */
const RETRY_MS = 1_000;

/** A step of a record on its way into force. `ms`: since the record was committed; absent if nobody looked when it happened. */
export type Step =
  | { readonly what: 'confirmed' | 'expired'; readonly node: string; readonly guards: number; readonly ms?: number }
  | { readonly what: 'guard-confirmed'; readonly caller: string; readonly guard: string; readonly ms?: number }
  | { readonly what: 'not-confirmed'; readonly ms?: number }
  | {
      readonly what: 'in-force';
      /** Absent if only a later record of the tenant was waited for. */
      readonly confirmed?: { readonly nodes: number; readonly guards: number; readonly expired: number };
      readonly ms?: number;
    };

/** A record that comes into force. */
export interface Coming {
  readonly seq: Seq;
  /** Its steps so far, in order. */
  readonly steps: readonly Step[];
}

interface Own extends Coming {
  /** Time of the commit; undefined if it was followed so late that its steps may have happened before. */
  readonly at: number | undefined;
  readonly steps: Step[];
  readonly guards: Set<string>;
  isInForce: boolean;
  isWaitedFor: boolean;
}

interface OfTenant {
  /** In the order of their seqs. */
  readonly records: Map<Seq, Own>;
  waits: number;
}

export interface ProgressOptions {
  readonly watchInForce: ControlFollower['watchInForce'];
  /** Called when records of the tenant have gone a step. */
  readonly onStep: (tenant: string) => void;
  /** Returns epoch milliseconds. */
  readonly now?: () => number;
}

/** How records that stop somebody come into force, node by node, as far as this process has looked. */
export interface Progress {
  /** Follows a record of the tenant that is applied here. */
  follow(
    tenant: string,
    record: { readonly seq: Seq; readonly at: number },
    how: { readonly isTimed: boolean },
  ): Coming;
  find(tenant: string, seq: Seq): Coming | undefined;
  /** Notes that a guard has applied every record up to `held`. */
  guardHolds(tenant: string, caller: string, guard: string, held: Seq): void;
  /** Forgets a tenant that nobody watches. */
  forget(tenant: string): void;
}

export function createProgress({ watchInForce, onStep, now = Date.now }: ProgressOptions): Progress {
  const tenants = new Map<string, OfTenant>();

  function step(tenant: string, record: Own, next: Step): void {
    record.steps.push(next);
    onStep(tenant);
  }

  const since = ({ at }: Own, atMs = now()) => (at === undefined ? {} : { ms: Math.max(0, atMs - at) });

  function settle(tenant: string, record: Own, { node, outcome, guards, atMs }: Settled): void {
    if (!record.isInForce) step(tenant, record, { what: outcome, node, guards, ...since(record, atMs) });
  }

  function isNowInForce(
    tenant: string,
    record: Own,
    confirmed?: Extract<Step, { what: 'in-force' }>['confirmed'],
  ): void {
    if (record.isInForce) return;
    record.isInForce = true;
    step(tenant, record, { what: 'in-force', ...(confirmed === undefined ? {} : { confirmed }), ...since(record) });
  }

  async function wait(tenant: string, of: OfTenant, record: Own): Promise<void> {
    of.waits++;
    record.isWaitedFor = true;
    try {
      const confirmed = await watchInForce(record.seq, tenant, (settled) => settle(tenant, record, settled));
      isNowInForce(tenant, record, confirmed);
      // A node that has confirmed this record has confirmed those before it.
      for (const other of of.records.values())
        if (other.seq < record.seq && !other.isWaitedFor) isNowInForce(tenant, other);
    } catch {
      if (!record.isInForce) step(tenant, record, { what: 'not-confirmed', ...since(record) });
      record.isWaitedFor = false;
      await delay(RETRY_MS, undefined, { ref: false });
    } finally {
      of.waits--;
    }
    if (tenants.get(tenant) === of) waitForNewest(tenant, of);
  }

  function waitForNewest(tenant: string, of: OfTenant): void {
    if (of.waits >= MAX_WAITS) return;
    const newest = [...of.records.values()].findLast(({ isInForce, isWaitedFor }) => !isInForce && !isWaitedFor);
    if (newest !== undefined) void wait(tenant, of, newest);
  }

  function remember(of: OfTenant, record: Own): void {
    of.records.set(record.seq, record);
    if (of.records.size <= MAX_REMEMBERED) return;
    const [oldest] = of.records.keys();
    of.records.delete(oldest!);
  }

  return {
    follow(tenant, { seq, at }, { isTimed }) {
      let of = tenants.get(tenant);
      if (of === undefined) tenants.set(tenant, (of = { records: new Map(), waits: 0 }));
      const known = of.records.get(seq);
      if (known !== undefined) return known;
      const record: Own = {
        seq,
        at: isTimed ? at : undefined,
        steps: [],
        guards: new Set(),
        isInForce: false,
        isWaitedFor: false,
      };
      remember(of, record);
      if (of.waits < MAX_WAITS) void wait(tenant, of, record);
      return record;
    },
    find: (tenant, seq) => tenants.get(tenant)?.records.get(seq),
    guardHolds(tenant, caller, guard, held) {
      for (const record of tenants.get(tenant)?.records.values() ?? []) {
        const name = `${caller}/${guard}`;
        if (record.seq > held || record.guards.has(name) || record.guards.size >= MAX_NAMED_GUARDS) continue;
        record.guards.add(name);
        step(tenant, record, { what: 'guard-confirmed', caller, guard, ...since(record) });
      }
    },
    forget: (tenant) => void tenants.delete(tenant),
  };
}
