import { timeText } from '../../contracts/index.js';
import { asOfOf } from '../ask/as-of.js';
import { operationOf, outcomeOf } from '../ask/entity-kinds.js';
import { orNull, readNames, type Names } from '../ask/names.pg.js';
import { readPageAsOf } from '../ask/page.js';
import { readParameters } from '../ask/parameters.js';
import type { Reader } from '../ask/reader.js';
import { windowAt } from '../ask/window.js';
import type { Ask } from '../../projections/index.js';
import type { AccessItem, AccessPage } from './answers.js';
import { ACCESS_FILTERS, DEFAULT_WINDOW_S, lastOf, MAX_INT64, readFilters, resolveFilters } from './filters.pg.js';
import { drivenStatements } from './statements.js';

export const ACCESS_PARAMETERS = [...ACCESS_FILTERS, 'as_of', 'limit', 'cursor'] as const;

const ACCESS = drivenStatements('access.sql');

/**
 * Answers who accessed what, newest first. Later pages are read as of the first, so that nothing is shown twice or
 * skipped.
 */
export function createAccessQuestion({ ask, reader }: { readonly ask: Ask; readonly reader: Reader }) {
  return (tenant: string, query: unknown): Promise<AccessPage> => {
    const parameters = readParameters(query, ACCESS_PARAMETERS);
    const tenantKey = reader.tenantKey(tenant);
    const filters = readFilters(parameters);
    const page = readPageAsOf('access', tenantKey, parameters);

    return ask(
      tenant,
      async (snapshot) => {
        const { driver, driving, values } = await resolveFilters(snapshot, tenantKey, parameters, filters);
        const window = windowAt(filters.window, snapshot.at);
        const start = [MAX_INT64, MAX_INT64, String(window.from ?? snapshot.at - DEFAULT_WINDOW_S)];
        const [at, ix, from] = (page.after ?? start) as [string, string, string];
        const rows = await snapshot.rows<AccessRow>(ACCESS[driver], [
          ...values,
          driving,
          from,
          lastOf(snapshot, window.to),
          at,
          ix,
          page.limit + 1,
        ]);
        const { shown, next } = page.cut(snapshot, rows, (last) => [last.at, last.ix, from]);
        const names = await readNames(snapshot, shown.flatMap(entitiesOf));
        return {
          as_of: asOfOf(snapshot),
          items: shown.map((row) => itemOf(row, names, reader)),
          ...next,
        };
      },
      page.asked,
    );
  };
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
