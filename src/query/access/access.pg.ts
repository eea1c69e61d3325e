import { timeText } from '../../contracts/index.js';
import { asOfOf } from '../ask/as-of.js';
import { operationOf, outcomeOf } from '../ask/entity-kinds.js';
import { orNull, readNames, type Names } from '../ask/names.pg.js';
import { readPageAsOf, type PageAsOf } from '../ask/page.js';
import { inconsistent, readIndexBehind, readParameters, type Parameters } from '../ask/parameters.js';
import type { Reader } from '../ask/reader.js';
import { windowAt } from '../ask/window.js';
import type { Ask, Moment, Snapshot, UsesRead } from '../../projections/index.js';
import type { AccessItem, AccessPage } from './answers.js';
import {
  ACCESS_FILTERS,
  DEFAULT_WINDOW_S,
  lastOf,
  MAX_INT64,
  readFilters,
  resolveFilters,
  type AccessFilters,
} from './filters.pg.js';
import { askerOf, filterWithoutIndex, type FindUses } from './find-uses.js';
import { drivenStatements, walkingStatement } from './statements.js';

export const ACCESS_PARAMETERS = [...ACCESS_FILTERS, 'after_index', 'as_of', 'limit', 'cursor'] as const;
export const MAX_ACCESSES = 1_000;

const ACCESS = drivenStatements('access.sql');
const ACCESS_TAIL = walkingStatement('access-tail.sql');

interface AccessOptions {
  readonly ask: Ask;
  readonly reader: Reader;
  /** Without it, filters without an index walk all accesses of the window. */
  readonly findUses?: FindUses | undefined;
}

/**
 * Answers who accessed what, newest first. Later pages are read as of the first, so that nothing is shown twice or
 * skipped.
 */
export function createAccessQuestion({ ask, reader, findUses }: AccessOptions) {
  return (tenant: string, query: unknown): Promise<AccessPage> => {
    const parameters = readParameters(query, ACCESS_PARAMETERS);
    const tenantKey = reader.tenantKey(tenant);
    const filters = readFilters(parameters);
    const page = readPageAsOf('access', tenantKey, parameters, 'as_of', MAX_ACCESSES);
    const asked: Asked = { tenant, tenantKey, parameters, filters, page };
    if (parameters.has('after_index')) return readBehind(ask, reader, asked, readBehindIndex(parameters));
    const filter = filterWithoutIndex(parameters);
    return findUses === undefined || filter === undefined
      ? readIndexed(ask, reader, asked)
      : findAll(findUses, asked, filter);
  };
}

interface Asked {
  readonly tenant: string;
  readonly tenantKey: Uint8Array;
  readonly parameters: Parameters;
  readonly filters: AccessFilters;
  readonly page: PageAsOf;
}

const readIndexed = (ask: Ask, reader: Reader, { tenant, tenantKey, parameters, filters, page }: Asked) =>
  ask(
    tenant,
    async (snapshot): Promise<AccessPage> => {
      const { driver, driving, values, read } = await resolveFilters(snapshot, tenantKey, parameters, filters);
      const window = windowAt(filters.window, snapshot.at);
      const start = [MAX_INT64, MAX_INT64, String(window.from ?? snapshot.at - DEFAULT_WINDOW_S)];
      const [at, ix, from] = (page.after ?? start) as [string, string, string];
      const to = lastOf(snapshot, window.to);
      const most = { rows: page.limit + 1, order: 'newest' as const };
      const wanted: UsesRead = { ...read, from, to, position: [at, ix], most };
      const rows = await snapshot.rows<AccessRow>({ text: ACCESS[driver], uses: () => [wanted] }, [
        ...values,
        driving,
        from,
        to,
        at,
        ix,
        page.limit + 1,
      ]);
      const { shown, next } = page.cut(snapshot, rows, (last) => [last.at, last.ix, from]);
      return { ...(await answerOf(snapshot, shown, reader)), ...next };
    },
    page.asked,
  );

/** Answers by filters without an index, with the engine of `explore`. A page's position is its cursor there. */
async function findAll(findUses: FindUses, { tenant, parameters, page }: Asked, filter: object): Promise<AccessPage> {
  const moment = page.after && (page.asked as Moment);
  const present = (name: string): object => (parameters.has(name) ? { [name]: parameters.get(name) } : {});
  const { as_of, items, next } = await findUses.find(askerOf(tenant), {
    filter,
    limit: page.limit,
    ...present('from'),
    ...present('to'),
    ...(moment ? { cursor: [moment.index, moment.at, ...page.after!].join('.') } : present('as_of')),
  });
  const [index, at, ...position] = next?.split('.') ?? [];
  return {
    as_of,
    items: [...items],
    ...(next === undefined ? {} : { next: page.seal({ index: BigInt(index!), at: Number(at) }, position) }),
  };
}

function readBehindIndex(parameters: Parameters): bigint {
  for (const name of ['from', 'to', 'cursor'])
    if (parameters.has(name)) throw inconsistent(`\`${name}\` and \`after_index\` exclude each other`);
  return readIndexBehind(parameters.get('after_index')!);
}

/** Answers what stands behind an index, in the order of the ledger. */
const readBehind = (ask: Ask, reader: Reader, { tenant, tenantKey, parameters, filters, page }: Asked, after: bigint) =>
  ask(
    tenant,
    async (snapshot): Promise<AccessPage> => {
      const { values, read } = await resolveFilters(snapshot, tenantKey, parameters, filters);
      const wanted: UsesRead = { ...read, behind: after, most: { rows: page.limit, order: 'ledger' } };
      const rows = await snapshot.rows<AccessRow>({ text: ACCESS_TAIL, uses: () => [wanted] }, [
        ...values,
        String(after),
        page.limit,
      ]);
      return answerOf(snapshot, rows, reader);
    },
    page.asked,
    {
      tooLong: (seconds) =>
        `the answer took longer than ${seconds} s: ask with a larger \`after_index\`, or without a filter`,
    },
  );

async function answerOf(snapshot: Snapshot, rows: readonly AccessRow[], reader: Reader): Promise<AccessPage> {
  const names = await readNames(snapshot, rows.flatMap(entitiesOf));
  return { as_of: asOfOf(snapshot), items: rows.map((row) => itemOf(row, names, reader)) };
}

interface AccessRow {
  readonly [column: string]: unknown;
  readonly ix: string;
  readonly at: string;
  readonly until_at: string;
  readonly bound: boolean;
  readonly usr: number | null;
  readonly client: number | null;
  readonly agent: number | null;
  readonly res: number | null;
  readonly scopes: readonly number[] | null;
  readonly op: number | null;
  readonly outcome: number;
  readonly status: number | null;
  readonly route: number | null;
  readonly addr: number | null;
  readonly source: string;
  readonly tok: Buffer;
  readonly n: string;
  readonly records: string | null;
  readonly bytes: string | null;
}

const entitiesOf = (row: AccessRow) => [
  row.usr,
  row.client,
  row.agent,
  row.res,
  row.route,
  row.addr,
  ...(row.scopes ?? []),
];

function itemOf(row: AccessRow, names: Names, reader: Reader): AccessItem {
  return {
    index: row.ix,
    at: timeText(Number(row.at)),
    ...(row.until_at === row.at ? {} : { until: timeText(Number(row.until_at)) }),
    count: Number(row.n),
    attributed: row.bound,
    user: orNull(row.usr, names.user),
    client: orNull(row.client, names.client),
    agent: orNull(row.agent, names.agent),
    resource: orNull(row.res, names.resource),
    route: orNull(row.route, names.text),
    operation: orNull(row.op, operationOf),
    outcome: outcomeOf(row.outcome),
    status: row.status,
    scopes: (row.scopes ?? []).map(names.text),
    records: row.records === null ? null : Number(row.records),
    bytes: row.bytes === null ? null : Number(row.bytes),
    client_address: orNull(row.addr, names.text),
    token: row.tok.toString('base64url'),
    source: reader.source(row.source),
  };
}
