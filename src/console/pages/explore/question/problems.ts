import { problemOf } from '../../../api/problem.js';
import type { ExploreSearch } from './search.js';
import { DIMENSIONS, type Dimension } from './vocabulary.js';

/** Fields of the question builder. */
const FIELDS: Readonly<Record<string, Field>> = {
  measures: 'measures',
  by: 'by',
  from: 'window',
  to: 'window',
  compare: 'compare',
  having: 'having',
  order: 'order',
  limit: 'limit',
};
type Field = 'measures' | 'by' | 'window' | 'compare' | 'having' | 'order' | 'limit';

/** The field that a refusal is about, and what the API says of it. */
export interface FieldProblem {
  readonly field: Field | Dimension | undefined;
  readonly says: string;
}

const BAD_REQUEST = 400;
const NOT_FOUND = 404;
const FORBIDDEN = 403;

/** Reads which field a refusal of the API is about; undefined if the question is not at fault. */
export function fieldProblemOf(error: unknown, { filter = {}, by = [] }: ExploreSearch): FieldProblem | undefined {
  const { status, title, detail } = problemOf(error);
  if (![BAD_REQUEST, NOT_FOUND, FORBIDDEN].includes(status)) return undefined;
  const says = detail ?? title;
  for (const [, name] of says.matchAll(/`([a-z_.]+)`/g)) {
    const [first, second] = name!.split('.');
    const word = first === 'filter' ? second! : first!;
    const field = FIELDS[word];
    if (field !== undefined && first !== 'filter') return { field, says };
    if (!(word in DIMENSIONS)) continue;
    return { field: word in filter || !by.includes(word as Dimension) ? (word as Dimension) : 'by', says };
  }
  return { field: undefined, says };
}
