import { csvLine } from '../platform/csv/index.js';
import type { ExploreAnswer } from './answers.js';
import { NAME_CELLS, nameColumns, type Cell, type NamedMember } from './name-cells.js';
import type { ExploreQuestion } from './question/read-question.js';
import { measureOf, type DimensionName, type MeasureName } from './question/vocabulary.js';
import { CSV_CONTENT_TYPE, streamTexts, type WrittenFile } from './written-file.js';

type Item = ExploreAnswer['items'][number];
type Column = readonly [name: string, cell: (item: Item) => Cell];

const hasName = (dimension: DimensionName): dimension is DimensionName & NamedMember => dimension in NAME_CELLS;

function columnsOfGroup(dimension: DimensionName): Column[] {
  if (!hasName(dimension)) return [[dimension, ({ group }) => (group[dimension] ?? null) as Cell]];
  return nameColumns(dimension).map(([column, cell]) => [
    column,
    ({ group }) => (cell as (name: unknown) => Cell)(group[dimension] ?? null),
  ]);
}

function columnsOfMeasure(measure: MeasureName, isCompared: boolean): Column[] {
  const value: Column = [measure, ({ values }) => values[measure] as Cell];
  if (!isCompared) return [value];
  const before: Column = [`${measure}_before`, (item) => item.before![measure] as Cell];
  if (measureOf(measure).time) return [value, before];
  return [
    value,
    before,
    [`${measure}_delta`, (item) => item.delta![measure] as Cell],
    [`${measure}_ratio`, (item) => item.ratio![measure] as Cell],
  ];
}

/** Writes groups as CSV: the names, the measures, what they were before, and `at_least` where a sum is cut. */
export function writeGroups({ by, measures, compare }: ExploreQuestion, items: readonly Item[]): WrittenFile {
  const columns: readonly Column[] = [
    ...by.flatMap(columnsOfGroup),
    ...measures.flatMap((measure) => columnsOfMeasure(measure, compare !== undefined)),
    ['at_least', ({ at_least: isCut }) => (isCut ? 'true' : null)],
  ];
  function* texts(): Generator<string> {
    yield csvLine(columns.map(([name]) => name));
    for (const item of items) yield csvLine(columns.map(([, cell]) => cell(item)));
  }
  return { contentType: CSV_CONTENT_TYPE, fileName: 'groups.csv', body: streamTexts(texts(), () => undefined) };
}
