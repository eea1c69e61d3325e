import { setTimeout as delay } from 'node:timers/promises';
import { RescindError } from '../../contracts/index.js';
import { isRuleEvent, MAX_STANDING_A_TENANT, weightOfEvent, type ControlState } from '../../control/index.js';
import type { Metrics } from '../../platform/observe/index.js';
import type { Judged } from './submission.js';

/** Selectors per second that the events of one source, and of one tenant, may add to the control log in the long run, on one process. */
export const SELECTORS_A_SECOND = { source: 2_000, tenant: 4_000 } as const;

/** Seconds' worth of selectors that may come at once. A larger submission is admitted alone, and later ones wait longer. */
const BURST_S = 10;

/** Seconds to wait if a tenant's rules are at their bound. Lifts, enabling events and time reduce them. */
const FULL_RETRY_S = 60;
/** How often a waiting partition checks again. */
const LOOK_AGAIN_MS = 1_000;

export interface RuleQuota {
  /** Admits the rule events of a request, or throws `too-many-rules` with the seconds to wait and takes nothing. */
  admit(events: readonly Judged[]): void;
  /** Admits the rule events of Kafka records. False if they must wait in Kafka. */
  tryAdmit(events: readonly Judged[]): boolean;
  /** Resolves when the events may be tried again, or when `isOver` returns true. */
  whenRoom(events: readonly Judged[], isOver: () => boolean): Promise<void>;
}

/** Selectors per second of a source and of a tenant, and selectors that a tenant may hold. */
export interface RuleQuotaBounds {
  readonly source: number;
  readonly tenant: number;
  readonly standing: number;
}

export interface RuleQuotaOptions {
  readonly state: Pick<ControlState, 'tenant'>;
  readonly metrics: Metrics;
  readonly bounds?: RuleQuotaBounds;
  /** Clock in milliseconds that never goes back. */
  readonly monotonic?: () => number;
}

type Bucket = { level: number; at: number };

/** Bounds the rules that events add to the control log, by source and by tenant, so that no source fills memory or others' logs. */
export function createRuleQuota(options: RuleQuotaOptions): RuleQuota {
  const { state, metrics, monotonic = () => performance.now() } = options;
  const bounds = options.bounds ?? { ...SELECTORS_A_SECOND, standing: MAX_STANDING_A_TENANT };
  const waits = metrics.counter(
    'rescind_rule_quota_waits_total',
    'Submissions with rule events that were refused (http) or had to wait (kafka), by source and bound.',
    ['source', 'bound', 'door'],
  );
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

  /** Tells which bound a source has reached and the seconds until it may have room; undefined if it has reached none. */
  function reached({
    source,
    tenant,
  }: Owner): { readonly bound: 'source' | 'tenant' | 'standing'; readonly seconds: number } | undefined {
    if ((state.tenant(tenant)?.rules.size ?? 0) >= bounds.standing) return { bound: 'standing', seconds: FULL_RETRY_S };
    for (const [bound, id] of [
      ['source', source],
      ['tenant', tenant],
    ] as const) {
      const { level } = bucketOf(bound, id);
      if (level <= 0) return { bound, seconds: Math.ceil(-level / bounds[bound]) + 1 };
    }
    return undefined;
  }

  function takeOf({ source, tenant, weight }: Owner): void {
    bucketOf('source', source).level -= weight;
    bucketOf('tenant', tenant).level -= weight;
  }

  /** Takes selectors for all owners of the events, or nothing if one of them has reached a bound. */
  function take(
    events: readonly Judged[],
    door: 'http' | 'kafka',
  ): { readonly name: string; readonly bound: string; readonly seconds: number } | undefined {
    const owners = ownersOf(events);
    const full = firstReached(owners);
    if (full) waits.inc({ source: full.name, bound: full.bound, door });
    else owners.forEach(takeOf);
    return full;
  }

  function firstReached(
    owners: readonly Owner[],
  ): { readonly name: string; readonly bound: string; readonly seconds: number } | undefined {
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

/** Counts selectors by owner. Events that end blocks count too, because they are records of the same log. */
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
