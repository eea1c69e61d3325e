import { useSearch } from '@tanstack/react-router';

/** The part of the URL of every page that says which time is shown. It stays from page to page. */
export interface MomentSearch {
  /** The moment that is shown. Without it, now. A duration counts back from now, and becomes a time at once (`fixMoments`). */
  readonly at?: string;
  /** The earlier moment that is compared with it. With it, pages show what is new, gone or grown. A duration counts back from `at`. */
  readonly against?: string;
}

/** A duration or a time, as the API takes them. */
const TIME = /^(?:\d{1,5}[smhdw]|\d{4}-\d\d-\d\dT[\d:.]+Z)$/;
const DURATION = /^(\d{1,5})([smhdw])$/;
const UNITS_MS: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };

/** Reads a time that anybody may have written; undefined if it is none. */
export const readTime = (given: unknown): string | undefined =>
  typeof given === 'string' && TIME.test(given) && !Number.isNaN(msOf(given, 0)) ? given : undefined;

/** Reads the search of a URL that anybody may have written: what is not known is left out. */
export function readMomentSearch({ at, against }: Record<string, unknown>): MomentSearch {
  return { at: readTime(at), against: readTime(against) };
}

/** Reads a time or a duration as epoch milliseconds. Durations count back from `beforeMs`. */
export function msOf(text: string, beforeMs: number): number {
  const [, count, unit] = DURATION.exec(text) ?? [];
  return unit === undefined ? Date.parse(text) : beforeMs - Number(count) * UNITS_MS[unit]!;
}

/** Writes epoch milliseconds as a URL and the API have a time: whole seconds in UTC. */
export const timeOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/**
 * Makes times of durations, so that all parts of a page, the next pages and a link that is sent later mean the same moments. Undefined if there is
 * no duration.
 */
export function fixMoments({ at, against }: MomentSearch, nowMs: number): MomentSearch | undefined {
  if (![at, against].some((time) => time !== undefined && DURATION.test(time))) return undefined;
  const atMs = at === undefined ? nowMs : msOf(at, nowMs);
  return {
    ...(at === undefined ? {} : { at: timeOf(atMs) }),
    ...(against === undefined ? {} : { against: timeOf(msOf(against, atMs)) }),
  };
}

/** The moment that is shown and the earlier one that it is compared with. */
export function useMoments(): MomentSearch {
  const at = useSearch({ strict: false, select: (search: MomentSearch) => search.at });
  const against = useSearch({ strict: false, select: (search: MomentSearch) => search.against });
  return { ...(at === undefined ? {} : { at }), ...(against === undefined ? {} : { against }) };
}

/** The moment that is shown, as questions about the state take it: spread it into their query. */
export function useMoment(): { readonly as_of?: string } {
  const { at } = useMoments();
  return at === undefined ? {} : { as_of: at };
}

interface Asked {
  readonly queryKey: readonly unknown[];
}

/** Whether a question is about the past, whose answer stays as it is. */
export function isOfPast({ queryKey }: Asked): boolean {
  const [, , options] = queryKey as readonly [unknown, unknown, { params?: { query?: Record<string, unknown> } }?];
  const { as_of: asOf, until } = options?.params?.query ?? {};
  return asOf !== undefined || until !== undefined;
}

/** A `refetchInterval` for questions whose answers no event tells of: the past is not asked again. */
export const every =
  (ms: number) =>
  (query: Asked): number | false =>
    isOfPast(query) ? false : ms;
