import { timeText } from '../contracts/index.js';
import type { Moment, Names } from '../projections/index.js';
import type { Cell } from './engine/messages.js';
import { LARGEST, ROW_COLUMNS } from './question/compose.js';
import type { ExploreQuestion, Window } from './question/read-question.js';
import { dimensionOf, measureOf, type DimensionName, type MeasureName } from './question/vocabulary.js';
import type { ExploreAnswer, ExploreRow } from './answers.js';

/* Shows what the engine returns as answers do. */

export const asOf = ({ index, at }: Moment) => ({ index: String(index), at: timeText(at) });
export const shownWindow = ({ from, to }: Window) => ({ from: timeText(from), to: timeText(to) });

export type NameOfSource = (id: string) => string | null;

type Item = ExploreAnswer['items'][number];

/** Ids of the entities that the rows of a question name. */
export const entitiesOf = (rows: readonly (readonly Cell[])[], { by }: ExploreQuestion): number[] =>
  by.flatMap((name, nth) =>
    dimensionOf(name).type === 'entity' ? rows.flatMap((row) => (row[nth] === null ? [] : [Number(row[nth])])) : [],
  );

export function itemOf(
  row: readonly Cell[],
  { by, measures, compare }: ExploreQuestion,
  names: Names,
  nameOfSource: NameOfSource,
): Item {
  const group = Object.fromEntries(by.map((name, nth) => [name, shownValue(name, row[nth]!, names, nameOfSource)]));
  const now = row.slice(by.length, by.length + measures.length);
  const values = Object.fromEntries(measures.map((name, nth) => [name, shownMeasure(name, now[nth]!)]));
  const cut = row.some((cell) => cell === LARGEST) ? { at_least: true as const } : {};
  if (compare === undefined) return { group, values, ...cut } as Item;
  const before = row.slice(by.length + measures.length, by.length + 2 * measures.length);
  const counted = measures.flatMap((name, nth) =>
    measureOf(name).time ? [] : [[name, Number(now[nth]), Number(before[nth])] as const],
  );
  return {
    group,
    values,
    before: Object.fromEntries(measures.map((name, nth) => [name, shownMeasure(name, before[nth]!)])),
    delta: Object.fromEntries(counted.map(([name, value, earlier]) => [name, value - earlier])),
    ratio: Object.fromEntries(counted.map(([name, value, earlier]) => [name, earlier === 0 ? null : value / earlier])),
    ...cut,
  } as Item;
}

const shownMeasure = (name: MeasureName, cell: Cell): string | number | null =>
  measureOf(name).time ? (cell === null ? null : timeText(Number(cell))) : Number(cell);

function shownValue(name: DimensionName, cell: Cell, names: Names, nameOfSource: NameOfSource): unknown {
  if (cell === null) return null;
  const dimension = dimensionOf(name);
  switch (dimension.type) {
    case 'entity':
      return names[dimension.shows](Number(cell));
    case 'code':
      return Object.keys(dimension.codes).find((code) => dimension.codes[code] === Number(cell));
    case 'number':
      return Number(cell);
    case 'time':
      return timeText(Number(cell));
    case 'source':
      return { id: String(cell), name: nameOfSource(String(cell)) };
    case 'token':
      return Buffer.from(cell as Uint8Array).toString('base64url');
    case 'lookup':
      return String(cell);
  }
}

const AT = Object.fromEntries(ROW_COLUMNS.map((column, nth) => [column, nth])) as Readonly<
  Record<(typeof ROW_COLUMNS)[number], number>
>;
const NAMED = ['usr', 'client', 'agent', 'res', 'route', 'addr'] as const;

/** Ids of the entities that rows name. */
export const entitiesOfRows = (rows: readonly (readonly Cell[])[]): number[] =>
  rows.flatMap((row) =>
    [...NAMED.map((column) => row[AT[column]]!), ...((row[AT.scopes] ?? []) as readonly Cell[])]
      .filter((cell) => cell !== null)
      .map(Number),
  );

/** The position of a row among rows that come newest first. */
export const positionOf = (row: readonly Cell[]): { readonly at: bigint; readonly ix: bigint } => ({
  at: BigInt(row[AT.first_at] as bigint),
  ix: BigInt(row[AT.ix] as bigint),
});

export function rowOf(row: readonly Cell[], names: Names, nameOfSource: NameOfSource): ExploreRow {
  const cell = (column: keyof typeof AT): Cell => row[AT[column]]!;
  const numberOrNull = (column: keyof typeof AT): number | null =>
    cell(column) === null ? null : Number(cell(column));
  const named = (column: keyof typeof AT, shows: keyof Names): unknown =>
    cell(column) === null ? null : names[shows](Number(cell(column)));
  const { first_at: at, last_at: until } = { first_at: Number(cell('first_at')), last_at: Number(cell('last_at')) };
  return {
    index: String(cell('ix')),
    at: timeText(at),
    ...(until === at ? {} : { until: timeText(until) }),
    count: Number(cell('n')),
    attributed: cell('client') !== null,
    user: named('usr', 'user'),
    client: named('client', 'client'),
    agent: named('agent', 'agent'),
    resource: named('res', 'resource'),
    route: named('route', 'text'),
    operation: shownValue('operation', cell('op'), names, nameOfSource),
    outcome: shownValue('outcome', cell('outcome'), names, nameOfSource),
    status: numberOrNull('status'),
    scopes: ((cell('scopes') ?? []) as readonly Cell[]).map((id) => names.text(Number(id))),
    records: numberOrNull('records'),
    bytes: numberOrNull('bytes'),
    client_address: named('addr', 'text'),
    token: Buffer.from(cell('tok') as Uint8Array).toString('base64url'),
    source: shownValue('source', cell('source'), names, nameOfSource),
  } as ExploreRow;
}
