import { Compile, type Validator } from 'typebox/compile';
import {
  parseTime,
  MOMENT_FORMS,
  readAskedTime,
  RescindError,
  secondsOf,
  type AskedTime,
} from '../../contracts/index.js';
import type { AskedMoment } from '../../projections/index.js';
import { DEFAULT_ITEMS, EXPLORE_QUESTION, MAX_PAGE, ROWS_QUESTION, type ORDER_OF } from './question-schema.js';
import { DIMENSION_NAMES, MEASURES, dimensionOf, type DimensionName, type MeasureName } from './vocabulary.js';

/** Windows begin so many seconds before the moment of a question that states none. */
const DEFAULT_WINDOW_S = 30 * 86_400;
/** No use in a ledger lies further ahead of its arrival, seconds. */
const MAX_AHEAD_S = 600;

type FilterValue = string | number;

/** A condition on one dimension, as the body states it. */
export interface Condition {
  readonly dimension: DimensionName;
  readonly equals?: FilterValue;
  /** The id of an entity whose other names are not meant. */
  readonly entity?: number;
  readonly in?: readonly FilterValue[];
  readonly not?: readonly FilterValue[];
  readonly prefix?: string;
  readonly from?: FilterValue;
  readonly to?: FilterValue;
  readonly min?: number;
  readonly max?: number;
  readonly missing?: boolean;
}

/** A window as it was asked for. */
export interface AskedWindow {
  readonly from: AskedTime | undefined;
  readonly to: AskedTime | undefined;
}

/** A half-open window, epoch seconds. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** The uses that a question is about. */
export interface Subject {
  readonly conditions: readonly Condition[];
  readonly window: AskedWindow;
  readonly asked: AskedMoment | undefined;
}

export interface Order {
  readonly by: MeasureName | DimensionName;
  readonly of: (typeof ORDER_OF)[number];
  readonly descending: boolean;
}

/** A range of a measure: a number from `min` to `max`, or a time. */
export interface Having {
  readonly measure: MeasureName;
  readonly min?: number;
  readonly max?: number;
  readonly window?: AskedWindow;
}

export interface ExploreQuestion extends Subject {
  readonly measures: readonly MeasureName[];
  readonly by: readonly DimensionName[];
  readonly compare: AskedWindow | undefined;
  readonly having: readonly Having[];
  readonly order: readonly Order[];
  readonly format: 'json' | 'csv';
  readonly limit: number;
}

export interface RowsQuestion extends Subject {
  readonly format: 'json' | 'csv' | 'jsonl';
  readonly limit: number;
  readonly cursor: string | undefined;
}

interface Body {
  readonly [member: string]: unknown;
  readonly filter?: Readonly<Record<string, Omit<Condition, 'dimension'>>>;
  readonly from?: FilterValue;
  readonly to?: FilterValue;
  readonly as_of?: string;
  readonly limit?: number;
}

/** Reads the body of `POST /v1/explore`. Throws `invalid-request` or `inconsistent-request`. */
export function readExploreQuestion(input: unknown): ExploreQuestion {
  const body = validate('question', EXPLORE_QUESTION, input) as Body & {
    measures?: MeasureName[];
    by?: DimensionName[];
    compare?: { from: FilterValue; to: FilterValue };
    having?: Record<string, { from?: FilterValue; to?: FilterValue; min?: number; max?: number }>;
    order?: { by: Order['by']; of?: Order['of']; descending?: boolean }[];
    format?: ExploreQuestion['format'];
  };
  const measures = body.measures ?? ['calls'];
  const by = body.by ?? [];
  const compare = body.compare && readWindow(body.compare, 'compare.');
  const having = Object.entries(body.having ?? {}).map(([measure, { from, to, ...range }]) => ({
    measure: measure as MeasureName,
    ...range,
    ...(from === undefined && to === undefined
      ? {}
      : {
          window: readWindow(
            { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) },
            `having.${measure}.`,
          ),
        }),
  }));
  const order = (body.order ?? [{ by: measures[0]!, ...(compare ? { of: 'delta' as const } : {}) }]).map((one) => ({
    by: one.by,
    of: one.of ?? 'value',
    descending: one.descending ?? true,
  }));
  for (const { measure } of having) {
    if (!measures.includes(measure))
      throw inconsistent(`\`having\` names \`${measure}\`, which is not among \`measures\``);
  }
  for (const one of order) {
    const isMeasure = one.by in MEASURES;
    if (isMeasure ? !measures.includes(one.by as MeasureName) : !by.includes(one.by as DimensionName))
      throw inconsistent(`\`order\` names \`${one.by}\`, which is not among \`${isMeasure ? 'measures' : 'by'}\``);
    if (one.of !== 'value' && (!isMeasure || compare === undefined))
      throw inconsistent('`order.of` belongs to a measure of a question with `compare`');
  }
  const format = body.format ?? 'json';
  if (format !== 'json' && body.limit !== undefined)
    throw inconsistent('`limit` belongs to `json`; a file has all groups');
  return { ...readSubject(body), measures, by, compare, having, order, format, limit: body.limit ?? DEFAULT_ITEMS };
}

/** Reads the body of `POST /v1/explore/rows`. Throws `invalid-request` or `inconsistent-request`. */
export function readRowsQuestion(input: unknown): RowsQuestion {
  const body = validate('rows', ROWS_QUESTION, input) as Body & { format?: RowsQuestion['format']; cursor?: string };
  const format = body.format ?? 'json';
  if (format !== 'json' && (body.cursor !== undefined || body.limit !== undefined))
    throw inconsistent('`limit` and `cursor` belong to pages; other formats have all rows');
  return { ...readSubject(body), format, limit: body.limit ?? MAX_PAGE, cursor: body.cursor };
}

function readSubject(body: Body): Subject {
  const filter = body.filter ?? {};
  const conditions = DIMENSION_NAMES.flatMap((dimension) =>
    Object.hasOwn(filter, dimension) ? [{ dimension, ...filter[dimension] }] : [],
  );
  return { conditions, window: readWindow(body), asked: readMoment(body.as_of) };
}

function readMoment(text: string | undefined): AskedMoment | undefined {
  if (text === undefined) return undefined;
  if (/^[0-9]+$/.test(text)) return { index: BigInt(text) > MAX_INDEX ? MAX_INDEX : BigInt(text) };
  if (parseTime(text) === undefined) throw invalid(`\`as_of\` must be ${MOMENT_FORMS}`);
  return readAskedTime('as_of', text, 'as-of-out-of-range');
}
const MAX_INDEX = 2n ** 63n - 1n;

const readWindow = (
  { from, to }: { readonly from?: FilterValue; readonly to?: FilterValue },
  at = '',
): AskedWindow => ({
  from: from === undefined ? undefined : readAskedTime(`${at}from`, from),
  to: to === undefined ? undefined : readAskedTime(`${at}to`, to),
});

/** Returns the window that is meant at the moment of the question, epoch seconds. Throws `inconsistent-request` if it is empty. */
export function windowAt({ from, to }: AskedWindow, at: number, name = ''): Window {
  const window = {
    from: from === undefined ? at - DEFAULT_WINDOW_S : secondsOf(`${name}from`, from, at),
    to: to === undefined ? at + MAX_AHEAD_S + 1 : secondsOf(`${name}to`, to, at),
  };
  if (to !== undefined && window.from >= window.to)
    throw inconsistent(`\`${name}from\` must be earlier than \`${name}to\``);
  return window;
}

/** Reads a time that a filter states, as the beginning of its hour or day. */
export function readBucket(dimension: DimensionName, value: FilterValue, at: number): number {
  const { seconds } = dimensionOf(dimension) as { readonly seconds: number };
  const time = secondsOf(`filter.${dimension}`, readAskedTime(`filter.${dimension}`, value), at);
  return Math.floor(time / seconds) * seconds;
}

const validators = new Map<string, Validator>();

function validate(name: string, schema: object, input: unknown): unknown {
  const body = input ?? {};
  let validator = validators.get(name);
  if (validator === undefined) validators.set(name, (validator = Compile(schema)));
  if (!validator.Check(body)) throw invalid(describe(validator.Errors(body)));
  refuseTexts(body, '');
  return body;
}

type Problems = ReturnType<Validator['Errors']>;

// A misspelt member helps more than what follows from it; a branch of `anyOf` is not at fault by itself.
function describe(problems: Problems): string {
  const own = problems.filter(({ schemaPath }) => !/\/anyOf\/\d+/.test(schemaPath));
  const unknown = own.find(({ keyword }) => keyword === 'additionalProperties');
  const problem = unknown ?? own[0] ?? problems[0];
  if (problem === undefined) return 'the body is not a question';
  const at =
    problem.instancePath === ''
      ? 'the body'
      : `\`${problem.instancePath.slice(1).replaceAll('/', '.').slice(0, MAX_SHOWN)}\``;
  if (problem.keyword === 'additionalProperties') {
    const names = (problem.params as { additionalProperties: readonly string[] }).additionalProperties;
    return `${at} has the unknown member \`${String(names[0]).slice(0, MAX_SHOWN)}\``;
  }
  if (problem.keyword === 'enum') {
    const { allowedValues } = problem.params as { allowedValues: readonly unknown[] };
    return `${at} must be one of ${allowedValues.join(', ')}`;
  }
  return `${at} ${problem.message}`;
}
const MAX_SHOWN = 64;

/** Refuses what a schema cannot express: lone surrogates, and names that are too long in bytes. */
function refuseTexts(value: unknown, at: string): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw invalid(`\`${at}\` holds a lone surrogate`);
    if (Buffer.byteLength(value) > MAX_BYTES) throw invalid(`\`${at}\` is over ${MAX_BYTES} bytes`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) refuseTexts(member, at === '' ? name : `${at}.${name}`);
  }
}
const MAX_BYTES = 512;

export const invalid = (detail: string): RescindError => new RescindError('invalid-request', { detail });
export const inconsistent = (detail: string): RescindError => new RescindError('inconsistent-request', { detail });
