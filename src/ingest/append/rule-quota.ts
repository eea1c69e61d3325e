import { setTimeout as delay } from 'node:timers/promises';
import { RescindError } from '../../contracts/index.js';
import { isRuleEvent, MAX_STANDING_A_TENANT, weightOfEvent, type ControlState } from '../../control/index.js';
import type { Metrics } from '../../platform/observe/index.js';
import type { Judged } from './submission.js';

/** Selectors that the events of one source, and of one tenant, may add to the control log in a second, in the long run, on one process. */
export const SELECTORS_A_SECOND = { source: 2_000, tenant: 4_000 } as const;

/** Seconds' worth that may come at once. A submission of more comes in alone, and what follows waits for longer. */
const BURST_S = 10;

/** How long to wait where rules stand at their bound: they go by lifts, by enabling events and with time. */
const FULL_RETRY_S = 60;
/** How often a partition that waits looks again. */
const LOOK_AGAIN_MS = 1_000;

export interface RuleQuota {
  /** Lets the rule events of a request in, or throws `too-many-rules` with the seconds to wait; then nothing was taken. */
  admit(events: readonly Judged[]): void;
  /** The same for records of Kafka, which wait there: false where they must. */
  tryAdmit(events: readonly Judged[]): boolean;
  /** Resolves when they may be tried again, or `isOver`. */
  whenRoom(events: readonly Judged[], isOver: () => boolean): Promise<void>;
}

/** Selectors: a second of a source and of a tenant, and those that a tenant may hold. */
export interface RuleQuotaBounds {
  readonly source: number;
  readonly tenant: number;
  readonly standing: number;
}

export interface RuleQuotaOptions {
  readonly state: Pick<ControlState, 'tenant'>;
  readonly metrics: Metrics;
  readonly bounds?: RuleQuotaBounds;
  /** Milliseconds on a clock that only goes forward. */
  readonly monotonic?: () => number;
}

type Bucket = { level: number; at: number };

/** Bounds what events add to the control log, by source and by tenant, so that no source fills memory or the log of others. */
export function createRuleQuota(options: RuleQuotaOptions): RuleQuota {
  const { state, metrics, monotonic = () => performance.now() } = options;
  const bounds = options.bounds ?? { ...SELECTORS_A_SECOND, standing: MAX_STANDING_A_TENANT };
  const waits = metrics.counter('rescind_rule_quota_waits_total', 'Submissions with rule events that were refused (http) or had to wait (kafka), by source and bound.', ['source', 'bound', 'door']);
  const buckets = { source: new Map<string, Bucket>(), tenant: new Map<string, Bucket>() };

  function bucketOf(kind: 'source' | 'tenant', id: string): Bucket {
    const now = monotonic();
    const full = bounds[kind] * BURST_S;
    const bucket = buckets[kind].get(id) ?? { level: full, at: now };
    bucket.level = Math.min(full, bucket.level + ((now - bucket.at) / 1000) * bounds[kind]);
    bucket.at = now;
    buckets[kind].set(id, bucket);
    return bucket;
  }

  /** Which bound a source has reached, and the seconds until it may be otherwise; undefined: none. */
  function reached({ source, tenant }: Owner): { readonly bound: 'source' | 'tenant' | 'standing'; readonly seconds: number } | undefined {
    if ((state.tenant(tenant)?.rules.size ?? 0) >= bounds.standing) return { bound: 'standing', seconds: FULL_RETRY_S };
    for (const [bound, id] of [['source', source], ['tenant', tenant]] as const) {
      const { level } = bucketOf(bound, id);
      if (level <= 0) return { bound, seconds: Math.ceil(-level / bounds[bound]) + 1 };
    }
    return undefined;
  }

  function takeOf({ source, tenant, weight }: Owner): void {
    bucketOf('source', source).level -= weight;
    bucketOf('tenant', tenant).level -= weight;
  }

  /** Takes nothing where one of them has reached a bound. */
  function take(events: readonly Judged[], door: 'http' | 'kafka'): { readonly name: string; readonly bound: string; readonly seconds: number } | undefined {
    const owners = ownersOf(events);
    const full = firstReached(owners);
    if (full) waits.inc({ source: full.name, bound: full.bound, door });
    else owners.forEach(takeOf);
    return full;
  }

  function firstReached(owners: readonly Owner[]): { readonly name: string; readonly bound: string; readonly seconds: number } | undefined {
    for (const owner of owners) {
      const full = reached(owner);
      if (full) return { name: owner.name, ...full };
    }
    return undefined;
  }

  return {
    admit(events) {
      const full = take(events, 'http');
      if (!full) return;
      const detail = `the source ${full.name} sends more events that become rules than may be added (bound: ${full.bound}); repeat the request after ${full.seconds} s`;
      throw new RescindError('too-many-rules', { detail, extensions: { retry_after: full.seconds } });
    },
    tryAdmit: (events) => take(events, 'kafka') === undefined,
    async whenRoom(events, isOver) {
      const owners = ownersOf(events);
      while (!isOver() && firstReached(owners)) await delay(LOOK_AGAIN_MS, undefined, { ref: false });
    },
  };
}

interface Owner {
  readonly source: string;
  readonly name: string;
  readonly tenant: string;
  weight: number;
}

/** Events that end blocks count too: they are records of the same log. */
function ownersOf(events: readonly Judged[]): readonly Owner[] {
  const owners = new Map<string, Owner>();
  for (const judged of events) {
    if (!judged.accepted || !isRuleEvent(judged.name)) continue;
    const { id, name, tenant } = judged.source;
    const owner = owners.get(id) ?? { source: id, name, tenant, weight: 0 };
    owner.weight += weightOfEvent(judged.name, judged.event.data);
    owners.set(id, owner);
  }
  return [...owners.values()];
}
