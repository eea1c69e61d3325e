import { momentFromCursor, momentToCursor, readAsOf, type AskedMoment, type Moment } from './as-of.js';
import { decodeCursor, encodeCursor, questionOf } from './cursor.js';
import { MAX_PAGE, readLimit, type Parameters } from './parameters.js';

/** The rows of a page, and the member `next` of its answer if there are more. */
interface Cut<R> {
  readonly shown: R[];
  readonly next: { readonly next?: string };
}

/** The page of a list that a caller asks for. */
export interface Page {
  readonly limit: number;
  /** The position that the previous page ended at; undefined for the first page. */
  readonly after: readonly string[] | undefined;
  /** Cuts off what lies beyond the page. Read `limit + 1` rows, so that it sees whether there are more. */
  cut<R>(rows: readonly R[], positionOf: (last: R) => readonly string[]): Cut<R>;
  /** Seals the position that a page ended at, as the cursor of the next one. */
  seal(position: readonly string[]): string;
}

/** Reads `limit` and `cursor`. A cursor must be of this question, with these parameters, of this tenant. */
export function readPage(name: string, tenantKey: Uint8Array, parameters: Parameters, most: number = MAX_PAGE): Page {
  const limit = readLimit(parameters, most);
  const question = questionOf(name, parameters);
  const cursor = parameters.get('cursor');
  const seal = (position: readonly string[]): string => encodeCursor(tenantKey, question, position);
  return {
    limit,
    after: cursor === undefined ? undefined : decodeCursor(tenantKey, question, cursor),
    cut(rows, positionOf) {
      const shown = rows.slice(0, limit);
      const last = rows.length > limit ? shown.at(-1) : undefined;
      return { shown, next: last === undefined ? {} : { next: seal(positionOf(last)) } };
    },
    seal,
  };
}

/** A page whose list is read as of a moment. */
export interface PageAsOf extends Omit<Page, 'cut' | 'seal'> {
  /** Undefined means now. Later pages are read as of the moment of the first. */
  readonly asked: AskedMoment | undefined;
  cut<R>(moment: Moment, rows: readonly R[], positionOf: (last: R) => readonly string[]): Cut<R>;
  seal(moment: Moment, position: readonly string[]): string;
}

/** Reads `limit`, `cursor` and the moment, which is a parameter or comes with the cursor. */
export function readPageAsOf(
  name: string,
  tenantKey: Uint8Array,
  parameters: Parameters,
  moment: 'as_of' | 'until' = 'as_of',
  most?: number,
): PageAsOf {
  const { limit, after, cut, seal } = readPage(name, tenantKey, parameters, most);
  return {
    limit,
    after: after?.slice(2),
    asked: after ? momentFromCursor(after) : readAsOf(parameters, moment),
    cut: (asOf, rows, positionOf) => cut(rows, (last) => [...momentToCursor(asOf), ...positionOf(last)]),
    seal: (asOf, position) => seal([...momentToCursor(asOf), ...position]),
  };
}
