import { MEASURES, timeOf, WEEKDAYS, type Dimension, type Measure } from '../question/vocabulary.js';
import type { Answered, Item } from '../question/queries.js';
import type { ExploreSearch } from '../question/search.js';
import { valueText } from './group-text.js';
import { valueOf } from './values.js';

/* What of an answer is drawn, apart from how. */

/** Series over time that are drawn apart; the others are added up, or left out if they cannot be. */
const MAX_SERIES = 8;
/** Bars of one chart. */
export const MAX_BARS = 12;

export interface Series {
  readonly name: string;
  /** A value for each label. */
  readonly values: readonly number[];
}

/** Values over time. */
export interface OverTime {
  readonly kind: 'time';
  readonly unitMs: number;
  /** Beginnings of hours or days, epoch milliseconds, without a gap. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  /** The values of series add up to something. */
  readonly stacked: boolean;
  /** Groups that are not drawn. */
  readonly leftOut: number;
}

/** Values by weekday and hour. */
export interface Heat {
  readonly kind: 'heat';
  /** Value of each weekday and hour. */
  readonly cells: readonly (readonly [hour: number, weekday: number, value: number])[];
}

/** One bar a group. */
export interface Bars {
  readonly kind: 'bars';
  readonly labels: readonly string[];
  readonly series: readonly Series[];
  readonly leftOut: number;
}

export type Drawing = OverTime | Heat | Bars;

const HOUR_MS = 3_600_000;
const UNIT_MS = { hour: HOUR_MS, day: 24 * HOUR_MS } as const;
/** Longest axis. Beyond, gaps are not filled. */
const MAX_TIMES = 5_000;

const numberOf = (item: Item, measure: Measure, what: 'value' | 'before'): number =>
  Number(valueOf(item, measure, what));

const BAR_PX = 22;
const AXIS_PX = 64;
const TIME_PX = 260;
const HEAT_PX = 240;

/** Height of a drawing in pixels. */
export const heightOf = (drawing: Drawing): number => {
  if (drawing.kind === 'time') return TIME_PX;
  if (drawing.kind === 'heat') return HEAT_PX;
  return drawing.labels.length * BAR_PX * (drawing.series.length > 1 ? 1.4 : 1) + AXIS_PX;
};

/** Decides what is drawn of an answer; undefined: nothing that a chart shows better than the table. */
export function drawingOf(
  { by = [] }: ExploreSearch,
  measure: Measure | undefined,
  { items, compare }: Pick<Answered, 'items' | 'compare'>,
): Drawing | undefined {
  if (items.length === 0 || by.length === 0 || measure === undefined || MEASURES[measure].isTime) return undefined;
  const isCompared = compare !== undefined;
  if (timeOf(by) !== undefined && !isCompared) return overTime(by, measure, items);
  const isHeat = by.length === 2 && by.includes('weekday') && by.includes('hour_of_day');
  return isHeat && !isCompared ? heat(measure, items) : bars(by, measure, isCompared, items);
}

function overTime(by: readonly Dimension[], measure: Measure, items: readonly Item[]): OverTime {
  const time = timeOf(by)!;
  const others = by.filter((dimension) => dimension !== time);
  const adds = MEASURES[measure].adds === true;
  const byName = new Map<string, Map<number, number>>();
  const sums = new Map<string, number>();
  const seen = new Set<number>();
  for (const item of items) {
    const at = Date.parse(String(item.group[time]));
    const name = others.map((dimension) => valueText(dimension, item.group)).join(', ');
    const value = numberOf(item, measure, 'value');
    const values = byName.get(name) ?? new Map<number, number>();
    byName.set(name, values.set(at, (values.get(at) ?? 0) + value));
    sums.set(name, (sums.get(name) ?? 0) + value);
    seen.add(at);
  }
  const times = timesOf([...seen], UNIT_MS[time]);
  const ranked = [...byName.keys()].toSorted((one, other) => sums.get(other)! - sums.get(one)!);
  const valuesOf = (names: readonly string[]): number[] =>
    times.map((at) => names.reduce((sum, name) => sum + (byName.get(name)!.get(at) ?? 0), 0));
  const [drawn, rest] = [ranked.slice(0, MAX_SERIES), ranked.slice(MAX_SERIES)];
  const series = drawn.map((name) => ({
    name: name === '' ? MEASURES[measure].label : name,
    values: valuesOf([name]),
  }));
  return {
    kind: 'time',
    unitMs: UNIT_MS[time],
    times,
    series: adds && rest.length > 0 ? [...series, { name: `${rest.length} others`, values: valuesOf(rest) }] : series,
    stacked: adds,
    leftOut: adds ? 0 : rest.length,
  };
}

/** All beginnings from the first to the last: a time without uses has no group, and counts as none. */
function timesOf(seen: readonly number[], unitMs: number): number[] {
  const sorted = seen.toSorted((one, other) => one - other);
  const [first, last] = [sorted[0]!, sorted.at(-1)!];
  const count = Math.round((last - first) / unitMs) + 1;
  return count > MAX_TIMES ? sorted : Array.from({ length: count }, (_, nth) => first + nth * unitMs);
}

const heat = (measure: Measure, items: readonly Item[]): Heat => ({
  kind: 'heat',
  cells: items
    .filter(({ group }) => group.weekday && typeof group.hour_of_day === 'number')
    .map((item) => [item.group.hour_of_day!, WEEKDAYS.indexOf(item.group.weekday!), numberOf(item, measure, 'value')]),
});

function bars(by: readonly Dimension[], measure: Measure, isCompared: boolean, items: readonly Item[]): Bars {
  const drawn = items.slice(0, MAX_BARS);
  const { label } = MEASURES[measure];
  const now = { name: label, values: drawn.map((item) => numberOf(item, measure, 'value')) };
  return {
    kind: 'bars',
    labels: drawn.map(({ group }) => by.map((dimension) => valueText(dimension, group)).join(', ')),
    series: isCompared
      ? [now, { name: 'before', values: drawn.map((item) => numberOf(item, measure, 'before')) }]
      : [now],
    leftOut: items.length - drawn.length,
  };
}
