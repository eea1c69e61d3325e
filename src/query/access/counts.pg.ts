import { orNull } from '../ask/names.pg.js';
import { type AskedTime, RescindError, secondsOf, timeText } from '../../contracts/index.js';
import {
  type Ask,
  COUNTING_TIMEOUT_MS,
  type HourSubject,
  MAX_COUNTED,
  type Moment,
  readHourUses,
  type Snapshot,
  type UseSums,
} from '../../projections/index.js';
import { isCut } from '../ask/answer-parts.js';
import { asOfOf, readAsOf } from '../ask/as-of.js';
import { inconsistent, invalid, readParameters, type Parameters } from '../ask/parameters.js';
import type { Reader } from '../ask/reader.js';
import { type AskedWindow, windowAt, type Window } from '../ask/window.js';
import type { AccessCounts } from './answers.js';
import {
  ACCESS_FILTERS,
  DEFAULT_WINDOW_S,
  lastOf,
  readFilters,
  resolveFilters,
  type ResolvedFilters,
} from './filters.pg.js';
import { askerOf, filterOf, filterWithoutIndex, type FindUses } from './find-uses.js';
import { drivenStatements } from './statements.js';

export const COUNT_PARAMETERS = ['by', ...ACCESS_FILTERS, 'as_of'] as const;

const HOUR_S = 3_600;
export const BUCKET_SECONDS = { hour: HOUR_S, day: 86_400 } as const;
type By = keyof typeof BUCKET_SECONDS;

/** Hours or days of one answer; a longer window is refused. */
export const MAX_BUCKETS = 1_000;
/** Accesses that a question reads to count some of them; beyond that the answer says `at_least`. */
export const MAX_WALKED = MAX_COUNTED;

const COUNTS_OF_ONE = drivenStatements('counts.sql', { driving: '(SELECT ($14::int[])[1])', merged: '' });
const COUNTS_OF_SEVERAL = drivenStatements('counts.sql', {
  driving: 'unnest($14::int[])',
  merged: 'ORDER BY a.at DESC, a.ix DESC LIMIT $18 + 1',
});

/** Answers how much was accessed, by hour or day. */
export function createCountsQuestion({
  ask,
  reader,
  findUses,
  maxWalked = MAX_WALKED,
}: {
  readonly ask: Ask;
  readonly reader: Reader;
  /** Without it, filters without an index walk all accesses of the window. */
  readonly findUses?: FindUses | undefined;
  readonly maxWalked?: number;
}) {
  return async (tenant: string, query: unknown): Promise<AccessCounts> => {
    const parameters = readParameters(query, COUNT_PARAMETERS);
    const by = readBy(parameters.get('by'));
    const filters = readFilters(parameters);
    const filter = filterWithoutIndex(parameters);
    const tenantKey = reader.tenantKey(tenant);

    const all = { tenant, parameters, by, window: filters.window };
    if (findUses !== undefined && filter !== undefined) return countAll(ask, findUses, all, filter);

    let resolved: ResolvedFilters | undefined;
    const counting = ask(
      tenant,
      async (snapshot) => {
        const asked = windowAt(filters.window, snapshot.at, wholeHourOf);
        const window = boundsOf(asked, by, snapshot);
        resolved = await resolveFilters(snapshot, tenantKey, parameters, filters);
        const subject = subjectOf(resolved);
        const counted = subject
          ? { buckets: await readStored(snapshot, subject, by, window), from: undefined }
          : await walk(snapshot, resolved, by, window, maxWalked);
        return answerOf(snapshot, by, window, asked.to, counted);
      },
      readAsOf(parameters),
      { timeoutMs: COUNTING_TIMEOUT_MS },
    );
    return counting.catch((error: unknown) => {
      const isTooWide = error instanceof RescindError && error.code === 'filter-too-wide';
      // Uses of a token count whoever they belong to, which is no question of `explore`.
      if (!isTooWide || findUses === undefined || resolved === undefined || resolved.driver === 'token') throw error;
      return countAll(ask, findUses, all, filterOf(parameters, resolved.ids));
    });
  };
}

interface Counted {
  readonly buckets: Buckets;
  /** There were more accesses than one answer counts; those later than this are counted. */
  readonly from: number | undefined;
}

function answerOf(
  moment: Moment,
  by: By,
  window: { readonly from: number },
  to: number | undefined,
  { buckets, from }: Counted,
): AccessCounts {
  return {
    as_of: asOfOf(moment),
    by,
    from: timeText(window.from),
    to: orNull(to ?? null, timeText),
    total: { ...describe([...buckets.values()].reduce(add, NOTHING)), ...isCut(from !== undefined) },
    items: [...buckets].map(([bucket, sums]) => {
      const at = bucket * BUCKET_SECONDS[by];
      return { at: timeText(at), ...describe(sums), ...isCut(from !== undefined && at <= from) };
    }),
    ...(from === undefined ? {} : { counted_from: timeText(from) }),
  };
}

interface CountedAll {
  readonly tenant: string;
  readonly parameters: Parameters;
  readonly by: By;
  readonly window: AskedWindow;
}

const SUMMED = ['calls', 'allowed', 'records', 'bytes'] as const;
const OF_OPERATION: Readonly<Record<string, keyof UseSums>> = {
  read: 'reads',
  write: 'writes',
  delete: 'deletes',
  export: 'exports',
  admin: 'admins',
};

/** Counts attributed uses with the engine of `explore`: by filters without an index, and more than one question walks. */
async function countAll(
  ask: Ask,
  findUses: FindUses,
  { tenant, parameters, by, window: askedWindow }: CountedAll,
  filter: object,
): Promise<AccessCounts> {
  const { moment, window, to } = await ask(
    tenant,
    async (snapshot) => {
      const asked = windowAt(askedWindow, snapshot.at, wholeHourOf);
      const { index, at } = snapshot;
      return { moment: { index, at }, window: boundsOf(asked, by, snapshot), to: asked.to };
    },
    readAsOf(parameters),
  );
  const sums =
    moment.index === 0n
      ? []
      : await findUses.sum(askerOf(tenant), {
          by: [by, 'operation'],
          measures: SUMMED,
          filter: { ...filter, client: { missing: false } },
          from: window.from,
          to: window.end,
          as_of: String(moment.index),
        });
  const buckets: Buckets = new Map();
  for (const { group, values } of sums) {
    const bucket = Date.parse(group[by] as string) / 1_000 / BUCKET_SECONDS[by];
    const [n, allowed, records, bytes] = SUMMED.map((name) => values[name] as number) as [
      number,
      number,
      number,
      number,
    ];
    const operation = OF_OPERATION[String(group['operation'])];
    const one = {
      ...NOTHING,
      n,
      allowed,
      records,
      bytes,
      ...(operation === undefined ? {} : { [operation]: allowed }),
    };
    buckets.set(bucket, add(buckets.get(bucket) ?? NOTHING, one));
  }
  const sorted: Buckets = new Map([...buckets].sort(([first], [second]) => first - second));
  return answerOf(moment, by, window, to, { buckets: sorted, from: undefined });
}

export function readBy(text = 'day'): By {
  if (!Object.hasOwn(BUCKET_SECONDS, text)) throw invalid('`by` is one of hour, day');
  return text as By;
}

/** Sums are stored by whole hours. A duration goes back to the beginning of its hour; a time within an hour is refused. */
function wholeHourOf(name: string, asked: AskedTime, nowS: number): number {
  const time = secondsOf(name, asked, nowS);
  const part = time % HOUR_S;
  if (part !== 0 && 'atMs' in asked)
    throw inconsistent(`\`${name}\` of counts is a whole hour of UTC, such as ${timeText(time - part)}`);
  return time - part;
}

/** Returns the window. Without `from` it is thirty days, extended back to the beginning of their first hour or day. */
function boundsOf({ from, to }: Window, by: By, snapshot: Snapshot): { readonly from: number; readonly end: number } {
  const unit = BUCKET_SECONDS[by];
  const start = from ?? Math.floor((snapshot.at - DEFAULT_WINDOW_S) / unit) * unit;
  const end = Math.ceil(lastOf(snapshot, to) / HOUR_S) * HOUR_S;
  if (end - start > MAX_BUCKETS * unit) {
    throw new RescindError('filter-too-wide', {
      detail: `more than ${MAX_BUCKETS} ${by}s: narrow the window with \`from\` and \`to\`${by === 'hour' ? ', or count by day' : ''}`,
    });
  }
  return { from: start, end };
}

/** Returns the subject if its sums are stored: everything, or clients or resources without another filter. */
function subjectOf({ ids: { user, client, agent, resource }, values }: ResolvedFilters): HourSubject | undefined {
  const others = values.slice(5).some((value) => value !== undefined);
  if (others || user || agent || (client && resource)) return undefined;
  if (client) return { of: 'client', ids: client };
  return resource ? { of: 'resource', ids: resource } : { of: 'total' };
}

type Buckets = Map<number, UseSums>;

async function readStored(
  snapshot: Snapshot,
  subject: HourSubject,
  by: By,
  { from, end }: { readonly from: number; readonly end: number },
): Promise<Buckets> {
  const buckets: Buckets = new Map();
  for (const { hour, ...sums } of await readHourUses(snapshot, subject, {
    first: from / HOUR_S,
    end: end / HOUR_S,
    each: BUCKET_SECONDS[by] / HOUR_S,
  })) {
    const bucket = Math.floor((hour * HOUR_S) / BUCKET_SECONDS[by]);
    const sum = buckets.get(bucket);
    buckets.set(bucket, sum ? add(sum, sums) : sums);
  }
  return buckets;
}

async function walk(
  snapshot: Snapshot,
  { driver, driving, values, read }: ResolvedFilters,
  by: By,
  { from, end }: { readonly from: number; readonly end: number },
  maxWalked: number,
) {
  const statements = driving.length === 1 ? COUNTS_OF_ONE : COUNTS_OF_SEVERAL;
  const wanted = { ...read, from, to: end };
  const rows = await snapshot.rows<Row>({ text: statements[driver], uses: () => [wanted] }, [
    ...values,
    driving,
    from,
    end,
    BUCKET_SECONDS[by],
    maxWalked,
  ]);
  const buckets: Buckets = new Map(
    rows
      .filter(({ matched }) => matched !== '0')
      .map((row): [number, UseSums] => [Number(row['bucket']), sumsOf(row)])
      .sort(([one], [other]) => one - other),
  );
  const walked = rows.reduce((sum, row) => sum + Number(row['walked']), 0);
  return { buckets, from: walked <= maxWalked ? undefined : Math.min(...rows.map((row) => Number(row['first_at']))) };
}

type Row = Record<string, string | null>;

const NOTHING: UseSums = {
  n: 0,
  allowed: 0,
  reads: 0,
  writes: 0,
  deletes: 0,
  exports: 0,
  admins: 0,
  records: 0,
  bytes: 0,
};
const COLUMNS = Object.keys(NOTHING) as (keyof UseSums)[];

const sumsOf = (row: Row): UseSums =>
  Object.fromEntries(COLUMNS.map((column) => [column, Number(row[column] ?? 0)])) as unknown as UseSums;
const add = (one: UseSums, other: UseSums): UseSums =>
  Object.fromEntries(COLUMNS.map((column) => [column, one[column] + other[column]])) as unknown as UseSums;

const describe = ({ n, allowed, reads, writes, deletes, exports, admins, records, bytes }: UseSums) => ({
  accesses: n,
  allowed,
  denied: n - allowed,
  records,
  bytes,
  operations: { read: reads, write: writes, delete: deletes, export: exports, admin: admins },
});
