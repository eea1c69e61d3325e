import { countText } from '../../../display/numbers.js';
import { timeText } from '../../../display/times.js';
import { MEASURES, type Measure, type Order } from '../question/vocabulary.js';
import type { Item } from '../question/queries.js';

/* The numbers of a group. */

/** A number of a measure: its value, or how it compares. */
export type What = Order['of'];

export const WHATS: readonly What[] = ['value', 'before', 'delta', 'ratio'];

/** Numbers of a measure that an answer has. */
export const whatsOf = (measure: Measure, isCompared: boolean): readonly What[] =>
  isCompared ? (MEASURES[measure].isTime ? ['value', 'before'] : WHATS) : ['value'];

const HEADS: Readonly<Record<What, (label: string) => string>> = {
  value: (label) => label,
  before: () => 'before',
  delta: () => 'change',
  ratio: () => 'ratio',
};
export const headOf = (measure: Measure, what: What): string => HEADS[what](MEASURES[measure].label);

export function valueOf(item: Item, measure: Measure, what: What): number | string | null {
  switch (what) {
    case 'value':
      return item.values[measure] ?? null;
    case 'before':
      return item.before?.[measure] ?? null;
    case 'delta':
      return item.delta?.[measure as keyof NonNullable<Item['delta']>] ?? null;
    case 'ratio':
      return item.ratio?.[measure as keyof NonNullable<Item['ratio']>] ?? null;
  }
}

const RATIO = new Intl.NumberFormat('en', { maximumFractionDigits: 2, minimumFractionDigits: 2 });

/** Writes a number exactly; a ratio, which is a quotient, with two digits. */
export function numberText(value: number | string | null, what: What): string {
  if (typeof value === 'string') return timeText(value);
  if (value === null) return what === 'ratio' ? 'new' : '–';
  if (what === 'ratio') return `×${RATIO.format(value)}`;
  return what === 'delta' && value > 0 ? `+${countText(value)}` : countText(value);
}
