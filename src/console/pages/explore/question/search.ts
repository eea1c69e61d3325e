import { readTime } from '../../../api/moment.js';
import {
  DIMENSION_NAMES,
  DIMENSIONS,
  MAX_GROUPS,
  MAX_LIMIT,
  MEASURE_NAMES,
  MEASURES,
  type Dimension,
  type Filter,
  type Having,
  type Measure,
  type Order,
  type Said,
} from './vocabulary.js';

/** The part of the URL that says which question is asked, in the words of the API, and what of its answer is open. */
export interface ExploreSearch {
  readonly measures?: Measure[];
  readonly by?: Dimension[];
  readonly filter?: Filter;
  readonly from?: string;
  readonly to?: string;
  readonly compare?: Window;
  readonly having?: Having;
  readonly order?: Order[];
  readonly limit?: number;
  /** The measure that is drawn. Default: the first. */
  readonly chart?: Measure;
  /** The group whose uses are shown, as conditions beside those of `filter`. */
  readonly rows?: Filter;
  /** Index of the entry that is open. */
  readonly entry?: string;
}

export interface Window {
  readonly from: string;
  readonly to: string;
}

type Given = Readonly<Record<string, unknown>>;

const asGiven = (given: unknown): Given =>
  typeof given === 'object' && given !== null && !Array.isArray(given) ? (given as Given) : {};

function known<Value extends string>(values: readonly Value[], given: unknown): Value[] | undefined {
  const found = [given].flat().filter((one): one is Value => values.includes(one as Value));
  return found.length === 0 ? undefined : [...new Set(found)];
}

const isOne = (given: unknown): given is string | number =>
  (typeof given === 'string' && given !== '') || (typeof given === 'number' && Number.isFinite(given));
const isSaid = (given: unknown): given is Said =>
  isOne(given) || typeof given === 'boolean' || (Array.isArray(given) && given.length > 0 && given.every(isOne));

/** Leaves out members that are not known, and what is left with none; undefined if nothing is left. */
function members(
  given: unknown,
  names: readonly string[],
  membersOf: (name: string) => readonly string[],
): Record<string, Record<string, Said>> | undefined {
  const read = names.flatMap((name) => {
    const said = Object.entries(asGiven(asGiven(given)[name])).filter(
      (entry): entry is [string, Said] => membersOf(name).includes(entry[0]) && isSaid(entry[1]),
    );
    return said.length === 0 ? [] : [[name, Object.fromEntries(said)] as const];
  });
  return read.length === 0 ? undefined : Object.fromEntries(read);
}

export const readFilter = (given: unknown): Filter | undefined =>
  members(given, DIMENSION_NAMES, (name) => DIMENSIONS[name as Dimension].members) as Filter | undefined;

const readHaving = (given: unknown): Having | undefined =>
  members(given, MEASURE_NAMES, (name) => (MEASURES[name as Measure].isTime ? ['from', 'to'] : ['min', 'max'])) as
    | Having
    | undefined;

function readOrder(given: unknown): Order[] | undefined {
  const [{ by, of, descending }] = [asGiven([given].flat()[0])];
  const found = known([...MEASURE_NAMES, ...DIMENSION_NAMES], by)?.[0];
  if (found === undefined) return undefined;
  const what = known(['value', 'before', 'delta', 'ratio'] as const, of)?.[0] ?? 'value';
  return [{ by: found, of: what, descending: descending !== false }];
}

function readCompare(given: unknown): Window | undefined {
  const [from, to] = [readTime(asGiven(given)['from']), readTime(asGiven(given)['to'])];
  return from === undefined || to === undefined ? undefined : { from, to };
}

/** Reads the search of a URL that anybody may have written: what is not known is left out. */
export function readExploreSearch(given: Record<string, unknown>): ExploreSearch {
  const limit = Number(given['limit']);
  const entry = String(given['entry'] ?? '');
  return {
    measures: known(MEASURE_NAMES, given['measures']),
    by: known(DIMENSION_NAMES, given['by'])?.slice(0, MAX_GROUPS),
    filter: readFilter(given['filter']),
    from: readTime(given['from']),
    to: readTime(given['to']),
    compare: readCompare(given['compare']),
    having: readHaving(given['having']),
    order: readOrder(given['order']),
    limit: Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT ? limit : undefined,
    chart: known(MEASURE_NAMES, given['chart'])?.[0],
    rows: typeof given['rows'] === 'object' && given['rows'] !== null ? (readFilter(given['rows']) ?? {}) : undefined,
    entry: /^\d{1,18}$/.test(entry) ? entry : undefined,
  };
}
