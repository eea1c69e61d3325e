import { secondsOf } from '../../contracts/index.js';
import type { Moment } from '../../projections/index.js';
import type { ExploreQuestion, Order, Window } from './read-question.js';
import {
  DIMENSIONS,
  dimensionOf,
  measureOf,
  type DimensionName,
  type LookupName,
  type MeasureName,
  type UseColumn,
} from './vocabulary.js';

/** A value that is bound to a statement of the engine. */
export type EngineValue =
  | { readonly type: 'BIGINT'; readonly value: bigint }
  | { readonly type: 'VARCHAR'; readonly value: string }
  | { readonly type: 'INTEGER[]'; readonly value: readonly number[] }
  | { readonly type: 'BIGINT[]'; readonly value: readonly bigint[] }
  | { readonly type: 'VARCHAR[]'; readonly value: readonly (string | null)[] };

export interface Statement {
  readonly sql: string;
  readonly values: readonly EngineValue[];
}

/** A condition whose names have been found. `ids`, `codes` and `texts` are values of the dimension. */
export interface FoundCondition {
  readonly dimension: DimensionName;
  /** Any of these; undefined: no such condition. */
  readonly within?: Found;
  /** The id of one name. */
  readonly entity?: number;
  readonly prefixed?: Found;
  readonly not?: Found;
  /** At least this, and at most this or, for a time, before this. */
  readonly min?: number;
  readonly max?: number;
  readonly before?: number;
  readonly missing?: boolean;
}
export type Found =
  | { readonly ids: readonly number[] }
  | { readonly texts: readonly string[] }
  /** Tokens, in hexadecimal digits. */
  | { readonly keys: readonly string[] }
  | { readonly prefix: string };

/** Values by id. */
export interface Lookup {
  readonly ids: readonly number[];
  readonly values: readonly string[];
}
export type Lookups = Partial<Readonly<Record<LookupName, Lookup>>>;

/** Places that a question reads uses from. */
export interface Sources {
  /** Paths of the segments that end at or below the question's index: each of their facts was known then. */
  readonly whole: readonly string[];
  /** Paths of other segments, which have uses at or above the index. */
  readonly cut: readonly string[];
  /** Paths of files with facts that became known after the range of their use. */
  readonly late: readonly string[];
  /** Uses below this index are read from segments, others from the tail. */
  readonly end: bigint;
  readonly lookups: Lookups;
}

export interface Selected {
  readonly sources: Sources;
  readonly index: Moment['index'];
  /** Epoch seconds that durations count back from. */
  readonly at: Moment['at'];
  readonly window: Window;
  readonly conditions: readonly FoundCondition[];
}

/** Ids that a condition names one by one. */
const MOST_COMPARED = 20;

/** Largest number of an answer: the largest that every reader of JSON keeps exactly. */
export const LARGEST = 2n ** 53n - 1n;

/** Collects the values of a statement. */
export function createBinder() {
  const values: EngineValue[] = [];
  return {
    values,
    bind(value: EngineValue): string {
      values.push(value);
      return `$${values.length}`;
    },
  };
}
export type Bind = ReturnType<typeof createBinder>['bind'];

const FACTS = ['usr', 'client', 'agent', 'res'] as const satisfies readonly UseColumn[];
type Fact = (typeof FACTS)[number];
const isFact = (column: UseColumn): column is Fact => (FACTS as readonly string[]).includes(column);

/** How a fact reads as of the index `n`, which is SQL. */
const AS_OF: Readonly<Record<Fact, (n: string) => string>> = {
  usr: (n) => `CASE WHEN u.bound_ix < ${n} THEN u.usr END`,
  client: (n) => `CASE WHEN u.bound_ix < ${n} THEN u.client END`,
  agent: (n) => `CASE WHEN coalesce(u.agent_ix, u.bound_ix) < ${n} THEN u.agent END`,
  res: (n) => `CASE WHEN u.res_bound IS NULL OR u.bound_ix < ${n} THEN u.res END`,
};

/**
 * Writes the query of the uses below the index and within the windows, with the columns that are wanted, as of the index. A segment has its
 * facts as of its end, so those of a whole segment are read as they stand.
 */
function usesOf(
  { sources, index }: Selected,
  windows: readonly Window[],
  wanted: ReadonlySet<UseColumn>,
  bind: Bind,
): string {
  const n = bind({ type: 'BIGINT', value: index });
  const facts = [...wanted].filter(isFact);
  const plain = [...new Set<UseColumn>([...[...wanted].filter((column) => !isFact(column)), 'ix', 'first_at'])];
  const known = factsAsOf(facts, n);
  const within = windows
    .map(({ from, to }) => `(u.first_at >= ${second(from, bind)} AND u.first_at < ${second(to, bind)})`)
    .join(' OR ');
  const columns = plain.map((column) => `u.${column}`);
  const part = (from: string, read: readonly string[], where: string): string =>
    `SELECT ${[...columns, ...read].join(', ')} FROM ${from} u WHERE ${where}(${within})`;
  const parts = [
    part('tail_uses', known, `u.ix >= ${bind({ type: 'BIGINT', value: sources.end })} AND u.ix < ${n} AND `),
  ];
  if (sources.cut.length > 0) parts.push(part(files(sources.cut, bind), known, `u.ix < ${n} AND `));
  if (sources.whole.length > 0)
    parts.push(
      part(
        files(sources.whole, bind),
        facts.map((fact) => `u.${fact}`),
        '',
      ),
    );
  const all = parts.join(' UNION ALL ');
  return facts.length === 0 ? all : withLate(all, plain, facts, { known, late: sources.late }, bind);
}

const factsAsOf = (facts: readonly Fact[], n: string): string[] => facts.map((fact) => `${AS_OF[fact](n)} AS ${fact}`);

/**
 * Adds the facts that became known after the range of their use, as of the index. A fact is set once, so `max` over the rows of a use is the
 * fact, and it takes the place of none.
 */
function withLate(
  all: string,
  plain: readonly UseColumn[],
  facts: readonly Fact[],
  { known, late }: { readonly known: readonly string[]; readonly late: readonly string[] },
  bind: Bind,
): string {
  const read = ['tail_late', ...(late.length > 0 ? [files(late, bind)] : [])].map(
    (from) => `SELECT u.ix, ${known.join(', ')} FROM ${from} u`,
  );
  const newest = facts.map((fact) => `max(${fact}) AS ${fact}`).join(', ');
  const merged = [
    ...plain.map((column) => `a.${column}`),
    ...facts.map((fact) => `coalesce(l.${fact}, a.${fact}) AS ${fact}`),
  ];
  return `SELECT ${merged.join(', ')} FROM (${all}) a LEFT JOIN (SELECT ix, ${newest} FROM (${read.join(' UNION ALL ')}) GROUP BY ix) l ON l.ix = a.ix`;
}

const files = (paths: readonly string[], bind: Bind): string =>
  `read_parquet(${bind({ type: 'VARCHAR[]', value: paths })}, hive_partitioning = false)`;
const second = (value: number, bind: Bind): string => bind({ type: 'BIGINT', value: BigInt(value) });

/** Columns of a use that a dimension is read from. */
function columnsOf(name: DimensionName): readonly UseColumn[] {
  const dimension = dimensionOf(name);
  switch (dimension.type) {
    case 'entity':
      return [dimension.column];
    case 'code':
    case 'number':
      return dimension.columns;
    case 'time':
      return ['first_at'];
    case 'source':
      return ['source'];
    case 'token':
      return ['tok'];
    case 'lookup':
      return dimension.by;
  }
}

/** SQL of a dimension's value; `s` is the use. */
function valueOf(name: DimensionName): string {
  const dimension = dimensionOf(name);
  switch (dimension.type) {
    case 'entity':
      return `s.${dimension.column}`;
    case 'code':
    case 'number':
      return dimension.sql;
    case 'time':
      return `((s.first_at // ${dimension.seconds}) * ${dimension.seconds})`;
    case 'source':
      return 's.source';
    case 'token':
      return 's.tok';
    case 'lookup':
      return dimension.by.length === 1
        ? `${lookupAlias(name, dimension.by[0]!)}.value`
        : `coalesce(${dimension.by.map((column) => `${lookupAlias(name, column)}.value`).join(', ')})`;
  }
}

const lookupAlias = (name: DimensionName, column: UseColumn): string => `${name}_of_${column}`;

function joinsOf(names: readonly DimensionName[], lookups: Lookups, bind: Bind): string {
  return names
    .flatMap((name) => {
      const dimension = dimensionOf(name);
      if (dimension.type !== 'lookup') return [];
      const { ids, values } = lookups[dimension.lookup]!;
      const known = `(SELECT unnest(${bind({ type: 'INTEGER[]', value: ids })}) AS id, unnest(${bind({ type: 'VARCHAR[]', value: values })}) AS value)`;
      return dimension.by.map(
        (column) => ` LEFT JOIN ${known} ${lookupAlias(name, column)} ON ${lookupAlias(name, column)}.id = s.${column}`,
      );
    })
    .join('');
}

function conditionOf(condition: FoundCondition, bind: Bind): string[] {
  const { dimension, within, entity, prefixed, not, min, max, before, missing } = condition;
  const value = valueOf(dimension);
  return [
    ...(within ? [matches(dimension, value, within, bind)] : []),
    ...(entity === undefined ? [] : [matches(dimension, value, { ids: [entity] }, bind)]),
    ...(prefixed ? [matches(dimension, value, prefixed, bind)] : []),
    ...(not ? [`NOT ${matches(dimension, value, not, bind)}`] : []),
    ...(min === undefined ? [] : [`${value} >= ${second(min, bind)}`]),
    ...(max === undefined ? [] : [`${value} <= ${second(max, bind)}`]),
    ...(before === undefined ? [] : [`${value} < ${second(before, bind)}`]),
    ...(missing === undefined ? [] : [isMissing(dimension, value, missing)]),
  ];
}

/** Never null, so that its negation includes uses without a value. */
function matches(name: DimensionName, value: string, found: Found, bind: Bind): string {
  if ('prefix' in found)
    return `coalesce(starts_with(${value}, ${bind({ type: 'VARCHAR', value: found.prefix })}), false)`;
  if ('texts' in found)
    return `coalesce(${value} IN (SELECT unnest(${bind({ type: 'VARCHAR[]', value: found.texts })})), false)`;
  if ('keys' in found)
    return `coalesce(${value} IN (SELECT unhex(unnest(${bind({ type: 'VARCHAR[]', value: found.keys })}))), false)`;
  const ids = (): string =>
    dimensionOf(name).type === 'time'
      ? bind({ type: 'BIGINT[]', value: found.ids.map(BigInt) })
      : bind({ type: 'INTEGER[]', value: found.ids });
  if (isMany(name)) return `coalesce(list_has_any(${value}, ${ids()}), false)`;
  // A list of few values is compared where the uses are read; DuckDB joins with the rows of a subquery only afterwards.
  const few = found.ids.length > 0 && found.ids.length <= MOST_COMPARED;
  const list = few ? found.ids.map((id) => second(id, bind)).join(', ') : `SELECT unnest(${ids()})`;
  return `coalesce(${value} IN (${list}), false)`;
}

const isMissing = (name: DimensionName, value: string, missing: boolean): string =>
  isMany(name)
    ? `${missing ? '' : 'NOT '}(coalesce(len(${value}), 0) = 0)`
    : `${value} IS ${missing ? '' : 'NOT '}NULL`;

function isMany(name: DimensionName): boolean {
  const dimension = dimensionOf(name);
  return dimension.type === 'entity' && dimension.many === true;
}

/** SQL of a measure over the uses `s` that meet the condition. */
function aggregateOf(name: MeasureName, condition: string | undefined): string {
  const { aggregate, column, where } = measureOf(name);
  const conditions = [where, condition].filter((one) => one !== undefined);
  const filter = conditions.length === 0 ? '' : ` FILTER (WHERE ${conditions.join(' AND ')})`;
  switch (aggregate) {
    case 'sum':
      return `coalesce(sum(s.${column})${filter}, 0)`;
    case 'distinct':
      return `count(DISTINCT s.${column})${filter}`;
    case 'min':
    case 'max':
      return `${aggregate}(s.${column})${filter}`;
  }
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

/**
 * Writes the statement of a question. Its columns: `d0`… the groups, `v0`… the measures, `b0`… the measures in the window before, and
 * `groups`, the number of all groups.
 */
export function composeExplore(selected: Selected, question: ExploreQuestion, before: Window | undefined): Statement {
  const { values, bind } = createBinder();
  const { measures, by } = question;
  const filtered = selected.conditions.map(({ dimension }) => dimension);
  const wanted = new Set<UseColumn>([
    ...unique([...by, ...filtered]).flatMap(columnsOf),
    ...measures.flatMap((name) => [
      measureOf(name).column,
      ...(measureOf(name).where === undefined ? [] : ['outcome' as const]),
    ]),
  ]);
  const windows = before ? [selected.window, before] : [selected.window];
  const uses = usesOf(selected, windows, wanted, bind);
  const joins = joinsOf(unique([...by, ...filtered]), selected.sources.lookups, bind);
  const conditions = selected.conditions.flatMap((condition) => conditionOf(condition, bind));
  const inWindow = ({ from, to }: Window): string =>
    `s.first_at >= ${second(from, bind)} AND s.first_at < ${second(to, bind)}`;
  const groups = by.map(
    (name, nth) =>
      `${isMany(name) ? `unnest(CASE WHEN len(${valueOf(name)}) > 0 THEN ${valueOf(name)} ELSE [NULL] END)` : valueOf(name)} AS d${nth}`,
  );
  const kept = unique<string>([
    ...measures.map((name) => measureOf(name).column),
    ...(needsOutcome(measures) ? ['outcome'] : []),
    ...(before ? ['first_at'] : []),
  ]);
  const flat = `SELECT ${[...groups, ...kept.map((column) => `s.${column}`)].join(', ')} FROM (${uses}) s${joins}${whereOf(conditions)}`;
  const sums = [
    ...measures.map((name, nth) => `${aggregateOf(name, before && inWindow(selected.window))} AS v${nth}`),
    ...(before ? measures.map((name, nth) => `${aggregateOf(name, inWindow(before))} AS b${nth}`) : []),
  ];
  const dims = by.map((_, nth) => `d${nth}`);
  const grouped = `SELECT ${[...dims, ...sums].join(', ')} FROM (${flat}) s${dims.length === 0 ? '' : ` GROUP BY ${dims.join(', ')}`}`;
  const having = question.having.flatMap(({ measure, min, max, window }) => {
    const value = `g.v${measures.indexOf(measure)}`;
    const from = min ?? (window?.from && secondsOf(`having.${measure}.from`, window.from, selected.at));
    const to = window?.to && secondsOf(`having.${measure}.to`, window.to, selected.at);
    return [
      ...(from === undefined ? [] : [`${value} >= ${second(from, bind)}`]),
      ...(max === undefined ? [] : [`${value} <= ${second(max, bind)}`]),
      ...(to === undefined ? [] : [`${value} < ${second(to, bind)}`]),
    ];
  });
  const order = [
    ...question.order.map((one) => orderOf(one, question)),
    ...dims.map((dim) => `g.${dim} ASC NULLS LAST`),
  ];
  return {
    sql: `SELECT ${[...dims, ...shown(measures, 'v'), ...(before ? shown(measures, 'b') : [])].join(', ')}, count(*) OVER () AS groups FROM (${grouped}) g${whereOf(having)}${order.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`} LIMIT ${second(question.limit, bind)}`,
    values,
  };
}

const needsOutcome = (measures: readonly MeasureName[]): boolean =>
  measures.some((name) => measureOf(name).where !== undefined);
const whereOf = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
const shown = (measures: readonly MeasureName[], prefix: 'v' | 'b'): string[] =>
  measures.map(
    (_, nth) =>
      `CASE WHEN g.${prefix}${nth} > ${LARGEST} THEN ${LARGEST} ELSE g.${prefix}${nth} END::BIGINT AS ${prefix}${nth}`,
  );

function orderOf({ by, of, descending }: Order, question: ExploreQuestion): string {
  const way = `${descending ? 'DESC' : 'ASC'} NULLS LAST`;
  if (by in DIMENSIONS) return `g.d${question.by.indexOf(by as DimensionName)} ${way}`;
  const nth = question.measures.indexOf(by as MeasureName);
  const forms = {
    value: `g.v${nth}`,
    before: `g.b${nth}`,
    delta: `(coalesce(g.v${nth}, 0) - coalesce(g.b${nth}, 0))`,
    // A group that is new grew most of all.
    ratio: `CASE WHEN coalesce(g.b${nth}, 0) = 0 THEN CASE WHEN coalesce(g.v${nth}, 0) > 0 THEN 'inf'::DOUBLE END ELSE g.v${nth} / g.b${nth}::DOUBLE END`,
  };
  return `${forms[of]} ${way}`;
}

/** Columns of a row, in the order in which statements of rows return them. */
export const ROW_COLUMNS = [
  'ix',
  'first_at',
  'last_at',
  'usr',
  'client',
  'agent',
  'res',
  'scopes',
  'op',
  'outcome',
  'status',
  'route',
  'addr',
  'source',
  'tok',
  'n',
  'records',
  'bytes',
] as const satisfies readonly UseColumn[];

/** A page of rows, newest first, behind a position; or the rows of a range of indexes, in the order of the ledger. */
export type Part =
  | { readonly after: { readonly at: bigint; readonly ix: bigint } | undefined; readonly limit: number }
  | { readonly first: bigint; readonly end: bigint };

export function composeRows(selected: Selected, part: Part): Statement {
  const { values, bind } = createBinder();
  const filtered = selected.conditions.map(({ dimension }) => dimension);
  const wanted = new Set<UseColumn>([...ROW_COLUMNS, ...filtered.flatMap(columnsOf)]);
  const uses = usesOf(selected, [selected.window], wanted, bind);
  const joins = joinsOf(unique(filtered), selected.sources.lookups, bind);
  const conditions = selected.conditions.flatMap((condition) => conditionOf(condition, bind));
  const at = (value: bigint): string => bind({ type: 'BIGINT', value });
  if ('first' in part) conditions.push(`s.ix >= ${at(part.first)} AND s.ix < ${at(part.end)}`);
  else if (part.after) conditions.push(`(s.first_at, s.ix) < (${at(part.after.at)}, ${at(part.after.ix)})`);
  const order = 'first' in part ? 's.ix' : `s.first_at DESC, s.ix DESC LIMIT ${at(BigInt(part.limit))}`;
  return {
    sql: `SELECT ${ROW_COLUMNS.map((column) => `s.${column}`).join(', ')} FROM (${uses}) s${joins}${whereOf(conditions)} ORDER BY ${order}`,
    values,
  };
}
