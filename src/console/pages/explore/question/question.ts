import type { ExploreSearch } from './search.js';
import { MAX_LIMIT, timeOf, type Filter, type Order, type Question } from './vocabulary.js';

/** Groups that are shown if the URL does not say how many. */
export const SHOWN = 50;

/** Whether the URL asks anything. */
export const asks = ({ measures, by, filter }: ExploreSearch): boolean =>
  measures !== undefined || by !== undefined || filter !== undefined;

/** The order of the answer: what the URL says, hours and days in their order, else the largest first. */
export function orderOf({ measures: [first = 'calls'] = [], by = [], compare, order }: ExploreSearch): Order {
  if (order !== undefined) return order[0]!;
  const time = timeOf(by);
  if (time !== undefined) return { by: time, of: 'value', descending: false };
  return { by: first, of: compare === undefined ? 'value' : 'delta', descending: true };
}

/** Groups that are asked for. An answer over time is cut nowhere, because a chart would show a gap. */
export const limitOf = ({ by = [], limit }: ExploreSearch): number =>
  limit ?? (timeOf(by) === undefined ? SHOWN : MAX_LIMIT);

type Subject = Pick<ExploreSearch, 'filter' | 'from' | 'to'>;
const subjectOf = ({ filter, from, to }: Subject): Pick<Question, 'filter' | 'from' | 'to'> => ({
  ...(filter === undefined ? {} : { filter }),
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
});

/** The body of `POST /v1/explore`. */
export function questionOf(search: ExploreSearch): Question {
  const { measures = ['calls'], by = [], compare, having } = search;
  return {
    measures,
    by,
    ...subjectOf(search),
    ...(compare === undefined ? {} : { compare }),
    ...(having === undefined ? {} : { having }),
    order: [orderOf(search)],
    limit: limitOf(search),
    format: 'json',
  };
}

/** All conditions on the uses behind a group. Those of the group hold where both name a dimension: they lie within. */
export const filterOfRows = ({ filter, rows }: ExploreSearch): Filter => ({ ...filter, ...rows });

/** The subject of `POST /v1/explore/rows`: the uses behind a group. */
export function rowsSubjectOf(search: ExploreSearch): Pick<Question, 'filter' | 'from' | 'to'> {
  const filter = filterOfRows(search);
  return subjectOf({ ...search, filter: Object.keys(filter).length === 0 ? undefined : filter });
}
