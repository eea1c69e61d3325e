import type { Author, Selector } from '../../contracts/index.js';
import type { SaidEvent } from '../../projections/index.js';
import type { FilterKind } from '../ask/entity-kinds.js';
import { TIMELINE_KINDS, type TimelineKind } from './answers.js';

export interface RuleRow {
  readonly at_ms: number;
  readonly ix: number | null;
  readonly what: 'ordered' | 'lifted' | 'expired' | 'enabled';
  readonly rule: string;
  readonly effect: 'block' | 'revoke';
  readonly selector: Selector;
  readonly reason: string;
  readonly resumes: boolean;
  readonly author: Author;
}

export interface SaidRow {
  readonly at_ms: number;
  readonly ix: number;
  readonly name: SaidEvent;
  readonly source: string;
  readonly usr: number | null;
  readonly client: number | null;
  readonly agent: number | null;
  readonly res: readonly number[];
  readonly details: { readonly [member in 'sid' | 'scope' | 'error' | 'reason']?: string };
}

export interface GrantRow {
  readonly at_ms: string;
  readonly first_ms: string;
  readonly ix: string;
  readonly again: boolean;
  readonly n: number;
  readonly usr: number | null;
  readonly client: number;
  /** 0: none. */
  readonly agent: number | null;
  readonly res: number;
  /** Lists of scopes, each as JSON. */
  readonly added: readonly string[];
}

export interface ConflictRow {
  readonly at_ms: string;
  readonly ix: string;
  readonly of: 'token' | 'id_jag';
  readonly key: string;
  readonly usr: number | null;
  readonly client: number;
}

export interface RefusalRow {
  readonly at_ms: string;
  readonly reason: string;
  readonly member: string | null;
  readonly key: string;
  readonly source: string;
  readonly usr: number | null;
  readonly client: number;
}

export interface IssuedRow {
  readonly at_ms: string;
  readonly ix: string;
  readonly of: 'token' | 'id_jag';
  readonly key: string;
  readonly source: string;
  readonly usr: number | null;
  readonly client: number;
  readonly agent: number | null;
  readonly res: readonly number[];
  readonly scope: string | null;
}

export interface NameRow {
  readonly at_ms: string;
  readonly ix: string;
  readonly id: number;
}

/** Times are epoch seconds. */
export interface RunRow {
  readonly at: number;
  readonly first: number;
  readonly last: number;
  readonly ix: number;
  readonly outcome: number;
  readonly usr: number | null;
  /** Null if nobody has said yet whose token it is. */
  readonly client: number | null;
  readonly agent: number | null;
  readonly res: number | null;
  readonly n: number;
  readonly reads: number;
  readonly writes: number;
  readonly deletes: number;
  readonly exports: number;
  readonly admins: number;
  readonly records: number;
  readonly bytes: number;
}

/** A line of the answer before its ids get names. */
export type Line = { readonly atMs: number } & (
  | { readonly kind: 'use'; readonly row: RunRow }
  | { readonly kind: 'grant'; readonly row: GrantRow }
  | { readonly kind: 'rule'; readonly row: RuleRow }
  | { readonly kind: 'account' | 'connection' | 'denial'; readonly row: SaidRow }
  | { readonly kind: 'conflict'; readonly row: ConflictRow }
  | { readonly kind: 'refusal'; readonly row: RefusalRow }
  | { readonly kind: 'issued'; readonly row: IssuedRow }
  | { readonly kind: 'name'; readonly of: FilterKind; readonly row: NameRow }
);

/**
 * The end of a page: after so many of the lines of one moment. The run of uses that contains the moment is folded anew from its
 * upper bound, `top`, epoch seconds.
 */
export interface Position {
  readonly atMs: number;
  readonly shown: number;
  readonly top: number;
}

const PLACE = new Map<TimelineKind, number>(TIMELINE_KINDS.map((kind, nth) => [kind, nth]));

/** Merges lines newest first. Lines of one moment stand by kind; those of one kind keep their order, except runs, which have none. */
export const sortLines = (lines: readonly Line[]): readonly Line[] =>
  lines.toSorted(
    (one, other) => other.atMs - one.atMs || PLACE.get(one.kind)! - PLACE.get(other.kind)! || compareRuns(one, other),
  );

function compareRuns(one: Line, other: Line): number {
  if (one.kind !== 'use' || other.kind !== 'use') return 0;
  const [a, b] = [one.row, other.row];
  return (a.client ?? 0) - (b.client ?? 0) || (a.res ?? 0) - (b.res ?? 0) || a.outcome - b.outcome;
}

/** Returns the position after the nth of sorted lines. `lines` has all lines of its moment. */
export function positionAfter(
  lines: readonly Line[],
  nth: number,
  { cuts, unit, top }: { readonly cuts: readonly number[]; readonly unit: number; readonly top: number },
): Position {
  const { atMs } = lines[nth]!;
  const second = Math.floor(atMs / 1_000);
  const begun = lines.findIndex((line) => line.atMs === atMs);
  const unitEnd = (Math.floor(second / unit) + 1) * unit;
  const cut = cuts.find((one) => one > second) ?? Infinity;
  return { atMs, shown: nth - begun + 1, top: Math.min(top, unitEnd, cut) };
}
