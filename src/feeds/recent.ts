import type { ControlRecord, Seq } from '../control/index.js';
import { effectOf, type Effect } from './effects.js';

/** Records that a guard may have missed and still go on; about 300 bytes each. Further behind, it is reset. */
export const MAX_RECENT = 50_000;

export interface Recent {
  readonly seq: Seq;
  readonly tenant: string;
  readonly effect: Effect;
  /** When it was applied here, milliseconds on a clock that only goes forward. */
  readonly at: number;
}

/** The newest records, in seq order and without a gap. */
export interface RecentRecords {
  readonly head: Seq;
  put(record: ControlRecord): Recent;
  /** All above `after`; undefined when they are no longer here, or `after` is beyond the head. */
  since(after: Seq): readonly Recent[] | undefined;
  /** The last record of the tenant here, or an earlier one of any: whoever has applied it lacks nothing of the tenant up to the head. */
  lastOf(tenant: string): Seq;
  /** When the record was applied here: -Infinity where it is no longer remembered, undefined where it is still to come. */
  appliedAt(seq: Seq): number | undefined;
}

export interface RecentOptions {
  /** The last record that was applied before. */
  readonly head: Seq;
  readonly max?: number;
  /** Milliseconds on a clock that only goes forward. */
  readonly monotonic?: () => number;
}

export function createRecentRecords({ head: first, max = MAX_RECENT, monotonic = () => performance.now() }: RecentOptions): RecentRecords {
  /** By seq modulo `max`. */
  const ring: Recent[] = [];
  const lastOf = new Map<string, Seq>();
  let head = first;
  /** All above it are in the ring. */
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
