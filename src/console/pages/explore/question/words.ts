import { countText } from '../../../display/numbers.js';
import type { ExploreSearch } from './search.js';
import {
  DIMENSIONS,
  MEASURES,
  MEMBER_WORDS,
  type Dimension,
  type Filter,
  type Having,
  type Measure,
  type Member,
  type Said,
} from './vocabulary.js';
import { windowText } from './windows.js';

/** One condition of a filter, as a chip shows it. */
export interface Condition {
  readonly dimension: Dimension;
  readonly member: Member;
  readonly said: Said;
}

export const conditionsOf = (filter: Filter = {}): Condition[] =>
  Object.entries(filter).flatMap(([dimension, members]) =>
    Object.entries(members).map(([member, said]) => ({
      dimension: dimension as Dimension,
      member: member as Member,
      said: said as Said,
    })),
  );

/** Adds a condition to a filter. */
export const withCondition = (filter: Filter | undefined, { dimension, member, said }: Condition): Filter => ({
  ...filter,
  [dimension]: { ...filter?.[dimension], [member]: said },
});

/** Takes a condition out of a filter; undefined if nothing is left. */
export function withoutCondition(
  filter: Filter | undefined,
  { dimension, member }: Pick<Condition, 'dimension' | 'member'>,
): Filter | undefined {
  const { [dimension]: members = {}, ...others } = filter ?? {};
  const left = Object.fromEntries(Object.entries(members).filter(([name]) => name !== member));
  const all: Filter = Object.keys(left).length === 0 ? others : { ...others, [dimension]: left };
  return Object.keys(all).length === 0 ? undefined : all;
}

/** The words of a condition that stand before its value. */
export function conditionWords({ dimension, member, said }: Condition): string {
  const { label } = DIMENSIONS[dimension];
  if (member === 'missing') return said === true ? `${label} has no value` : `${label} has a value`;
  return `${label} ${MEMBER_WORDS[member]}`;
}

export const valuesOfCondition = ({ member, said }: Condition): readonly (string | number)[] =>
  member === 'missing' ? [] : ([said].flat() as (string | number)[]);

/** One bound of a measure, as a chip shows it. */
export interface Bound {
  readonly measure: Measure;
  readonly member: 'min' | 'max' | 'from' | 'to';
  readonly said: string | number;
}

export const boundsOf = (having: Having = {}): Bound[] =>
  Object.entries(having).flatMap(([measure, members]) =>
    Object.entries(members).map(([member, said]) => ({
      measure: measure as Measure,
      member: member as Bound['member'],
      said: said as string | number,
    })),
  );

export const boundWords = ({ measure, member, said }: Bound): string =>
  `${MEASURES[measure].label} ${MEMBER_WORDS[member]} ${typeof said === 'number' ? countText(said) : said}`;

/** Says the question in one sentence, without its conditions: they hold names from outside. */
export function headWords({ measures = ['calls'], by = [], from, to, compare }: ExploreSearch): string {
  const what = listText(measures.map((measure) => MEASURES[measure].label));
  const whose = by.length === 0 ? '' : ` by ${listText(by.map((dimension) => DIMENSIONS[dimension].label))}`;
  const against = compare === undefined ? '' : `, compared with ${windowText(compare)}`;
  const head = `${what}${whose}, ${windowText({ from, to })}${against}`;
  return `${head[0]!.toUpperCase()}${head.slice(1)}`;
}

const listText = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)!}`;
