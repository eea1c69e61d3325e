import { safeText } from '../../../display/names.js';
import { countText } from '../../../display/numbers.js';
import { valueText } from '../answer/group-text.js';
import { headOf, numberText, valueOf, whatsOf } from '../answer/values.js';
import { DIMENSIONS } from '../question/vocabulary.js';
import { boundsOf, boundWords, conditionsOf, conditionWords, headWords, valuesOfCondition } from '../question/words.js';
import type { Answered } from '../question/queries.js';
import type { ExploreSearch } from '../question/search.js';

/** Groups of a ticket; the link leads to the others. */
const MAX_ROWS = 50;

/**
 * A name from outside as code: nothing in it is a link, an image, a mention or HTML. The fence is longer than any run of backticks within, and a bar would end the cell.
 */
export function codeOf(name: string): string {
  const text = safeText(name).replaceAll('|', '\\|');
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `${fence}${text}${fence}` : `${fence} ${text} ${fence}`;
}

const lineOf = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** The conditions of a question, a line each; `written` makes a value from outside safe for where it goes. */
export const conditionLines = ({ filter, having }: ExploreSearch, written: (name: string) => string): string[] => [
  ...conditionsOf(filter).map((one) =>
    [
      conditionWords(one),
      valuesOfCondition(one)
        .map((value) => written(String(value)))
        .join(', '),
    ]
      .join(' ')
      .trim(),
  ),
  ...boundsOf(having).map(boundWords),
];

interface Ticket {
  readonly search: ExploreSearch;
  readonly answer: Answered;
  /** Address of the page. */
  readonly url: string;
}

/** Writes an answer as Markdown: the question, its conditions, the groups, and where it comes from. */
export function ticketOf({ search, answer, url }: Ticket): string {
  const { by = [], measures = ['calls'] } = search;
  const { items, groups, as_of: asOf, window, compare } = answer;
  const isCompared = compare !== undefined;
  const columns = measures.flatMap((measure) => whatsOf(measure, isCompared).map((what) => ({ measure, what })));
  const heads = [
    ...by.map((dimension) => DIMENSIONS[dimension].label),
    ...columns.map(({ measure, what }) =>
      what === 'value' ? headOf(measure, what) : `${headOf(measure, 'value')} ${headOf(measure, what)}`,
    ),
  ];
  const conditions = conditionLines(search, codeOf);
  const shown = items.slice(0, MAX_ROWS);
  return [
    `### ${headWords(search)}`,
    '',
    ...conditions.map((condition) => `- ${condition}`),
    ...(conditions.length === 0 ? [] : ['']),
    lineOf(heads),
    lineOf([...by.map(() => '---'), ...columns.map(() => '---:')]),
    ...shown.map((item) =>
      lineOf([
        ...by.map((dimension) => codeOf(valueText(dimension, item.group))),
        ...columns.map(({ measure, what }) => numberText(valueOf(item, measure, what), what)),
      ]),
    ),
    '',
    ...(shown.length < groups ? [`The first ${countText(shown.length)} of ${countText(groups)} groups.`, ''] : []),
    `Uses from ${window.from} to ${window.to}${isCompared ? `, compared with ${compare.from} to ${compare.to}` : ''}. ` +
      `As of entry ${asOf.index} of the ledger, ${asOf.at}.`,
    '',
    `<${url}>`,
    '',
  ].join('\n');
}
