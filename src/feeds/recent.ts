import type { ControlRecord, Seq } from '../control/index.js';
import { effectOf, type Effect } from './effects.js';

/** Records that a guard may have missed and still continue; about 300 bytes each. A guard that is further behind is reset. */
export const MAX_RECENT = 50_000;

export interface Recent {
  readonly seq: Seq;
  readonly tenant: string;
  readonly effect: Effect;
  /** Time at which the record was applied here, milliseconds on a clock that never goes back. */
  readonly at: number;
}

/** Keeps the newest records, in seq order and without a gap. */
export interface RecentRecords {
  readonly head: Seq;
  put(record: ControlRecord): Recent;
  /** Returns all records above `after`. Undefined if they are no longer here, or if `after` is beyond the head. */
  since(after: Seq): readonly Recent[] | undefined;
  /**
   * Returns the seq of the tenant's last record here, or an earlier seq. A guard that has applied it lacks nothing of the tenant up to
   * the head.
   */
  lastOf(tenant: string): Seq;
  /** Returns when the record was applied here. -Infinity if that is no longer remembered; undefined if the record is yet to come. */
  appliedAt(seq: Seq): number | undefined;
}

export interface RecentOptions {
  /** The last record applied before this object was made. */
  readonly head: Seq;
  readonly max?: number;
  /** Clock in milliseconds that never goes back. */
  readonly monotonic?: () => number;
}

export function createRecentRecords({
  head: first,
  max = MAX_RECENT,
  monotonic = () => performance.now(),
}: RecentOptions): RecentRecords {
  /** Records by seq modulo `max`. */
  const ring: Recent[] = [];
  const lastOf = new Map<string, Seq>();
  let head = first;
  /** All records above it are in the ring. */
  let floor = first;
  const placeOf = (seq: bigint): number => Number(seq % BigInt(max));

  return {
    get head() {
      return head;
    },
    put(record) {
      if (record.seq !== head + 1n) throw new TypeError(`record ${record.seq} does not follow ${head}`);
      const recent = { seq: record.seq, tenant: record.tenant, effect: effectOf(record), at: monotonic() };
      ring[placeOf(record.seq)] = recent;
      head = record.seq;
      lastOf.set(record.tenant, record.seq);
      if (head - floor > BigInt(max)) floor = (head - BigInt(max)) as Seq;
      return recent;
    },
    since(after) {
      if (after < floor || after > head) return undefined;
      const found: Recent[] = [];
      for (let seq = after + 1n; seq <= head; seq++) found.push(ring[placeOf(seq)]!);
      return found;
    },
    lastOf: (tenant) => lastOf.get(tenant) ?? first,
    appliedAt(seq) {
      if (seq > head) return undefined;
      return seq <= floor ? -Infinity : ring[placeOf(seq)]!.at;
    },
  };
}
