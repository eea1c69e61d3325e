import { useSearch } from '@tanstack/react-router';

/** The part of the URL of every page that says which time is shown. It stays from page to page. */
export interface MomentSearch {
  /** The moment that is shown: a time, or a duration before now. Without it, now. */
  readonly at?: string;
  /** The earlier moment that is compared with it. With it, pages show what is new, gone or grown. */
  readonly against?: string;
}

/** A duration or a time, as the API takes them. */
const TIME = /^(?:\d{1,5}[smhdw]|\d{4}-\d\d-\d\dT[\d:.]+Z)$/;

/** Reads a time that anybody may have written; undefined if it is none. */
export const readTime = (given: unknown): string | undefined =>
  typeof given === 'string' && TIME.test(given) ? given : undefined;

/** Reads the search of a URL that anybody may have written: what is not known is left out. */
export function readMomentSearch({ at, against }: Record<string, unknown>): MomentSearch {
  return { at: readTime(at), against: readTime(against) };
}

/** The moment that is shown, as questions about the state take it: spread it into their query. */
export function useMoment(): { readonly as_of?: string } {
  const at = useSearch({ strict: false, select: (search: MomentSearch) => search.at });
  return at === undefined ? {} : { as_of: at };
}
