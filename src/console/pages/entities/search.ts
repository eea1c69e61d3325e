import { readTime } from '../../api/moment.js';

export const SORTS = ['grants', 'unused_grants', 'last_used', 'first_seen'] as const;
export type Sort = (typeof SORTS)[number];

/** The part of the URL that says what a list shows, and in which order. */
export interface ListSearch {
  readonly q?: string;
  readonly owner?: 'missing' | 'present';
  /** Only those that are new since: a duration or a time. */
  readonly new_since?: string;
  readonly sort?: Sort;
  readonly order?: 'asc';
}

const text = (given: unknown): string | undefined =>
  typeof given === 'string' || typeof given === 'number' ? String(given).trim() || undefined : undefined;

/** Reads the search of a URL that anybody may have written: what is not known is left out. */
export function readListSearch({ q, owner, new_since, sort, order }: Record<string, unknown>): ListSearch {
  return {
    q: text(q),
    owner: owner === 'missing' || owner === 'present' ? owner : undefined,
    new_since: readTime(new_since),
    sort: SORTS.find((one) => one === sort),
    order: order === 'asc' ? order : undefined,
  };
}

/** The part of the URL that says which time the page of an entity is about. */
export interface EntitySearch {
  readonly from?: string;
  readonly to?: string;
  /** Kind of the lines of the timeline. */
  readonly lines?: Lines;
  /** The part of the page that is open. Default: the timeline. */
  readonly show?: Shown;
  /** The token whose lineage is open. */
  readonly token?: string;
}

const SHOWN = ['timeline', 'connections', 'grants', 'reach'] as const;
export type Shown = (typeof SHOWN)[number];

export const LINES = [
  'rule',
  'account',
  'connection',
  'denial',
  'conflict',
  'refusal',
  'use',
  'grant',
  'issued',
  'name',
] as const;
export type Lines = (typeof LINES)[number];

export function readEntitySearch({ from, to, lines, show, token }: Record<string, unknown>): EntitySearch {
  return {
    from: readTime(from),
    to: readTime(to),
    lines: LINES.find((one) => one === lines),
    show: SHOWN.find((one) => one === show),
    token: typeof token === 'string' ? token : undefined,
  };
}
