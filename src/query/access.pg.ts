import { RescindError } from '../contracts/index.js';
import { loadSql } from '../platform/index.js';
import { OPERATIONS, OUTCOMES } from '../projections/index.js';
import type { AccessItem, AccessPage } from './answers.js';
import { asOfOf, momentFromCursor, momentToCursor, readAsOf } from './as-of.js';
import { decodeCursor, encodeCursor, questionOf } from './cursor.js';
import { operationOf, outcomeOf } from './entity-kinds.js';
import { orNull, readNames, resolveFilter, type Names } from './names.pg.js';
import { FILTER_PARAMETERS, readChoice, readLimit, readParameters, readTokenId, readWindow, type Parameters } from './parameters.js';
import type { Reader } from './reader.js';
import type { Ask } from './snapshot.pg.js';

/** Without `from`, the question is about this long before now. */
export const DEFAULT_WINDOW_S = 30 * 86_400;
const MAX_INT64 = String(2n ** 63n - 1n);

export const ACCESS_PARAMETERS = [
  ...FILTER_PARAMETERS.user,
  ...FILTER_PARAMETERS.client,
  ...FILTER_PARAMETERS.agent,
  'agent_type',
  ...FILTER_PARAMETERS.resource,
  'token',
  'operation',
  'outcome',
  'from',
  'to',
  'as_of',
  'limit',
  'cursor',
] as const;

const ACCESS = loadSql(import.meta.url, 'access.sql');
const drivenBy = (condition: string): string => ACCESS.replace('{driven}', condition);
/** In order of preference: the more a filter usually leaves, the later it comes. Each walks the index of its name. */
const STATEMENTS = {
  token: drivenBy('a.tok = $13'), // access_tok
  user: drivenBy('a.usr = d.id'), // access_usr
  agent: drivenBy('a.agent = d.id'), // access_agent
  client: drivenBy('a.client = d.id'), // access_client
  resource: drivenBy('a.res = d.id'), // access_res
  time: drivenBy('true'), // access_at
} as const;
const NO_IDS = [0];

/** Who accessed what, newest first. Later pages are read as of the first, so that nothing is shown twice or skipped. */
export function createAccessQuestion({ ask, reader }: { readonly ask: Ask; readonly reader: Reader }) {
  return (tenant: string, query: unknown): Promise<AccessPage> => {
    const parameters = readParameters(query, ACCESS_PARAMETERS);
    const tenantKey = reader.tenantKey(tenant);
    const token = parameters.has('token') ? readTokenId(parameters.get('token')!) : undefined;
    const operation = readChoice(parameters, 'operation', OPERATIONS);
    const outcome = readChoice(parameters, 'outcome', OUTCOMES);
    const limit = readLimit(parameters);
    const window = readWindow(parameters);
    const question = questionOf('access', parameters);
    const position = parameters.has('cursor') ? decodeCursor(tenantKey, question, parameters.get('cursor')!) : undefined;
    const asked = position ? momentFromCursor(position) : readAsOf(parameters);
    refuseWide(parameters);

    return ask(tenant, async (snapshot) => {
      const ids = {
        user: await resolveFilter(snapshot, tenantKey, parameters, 'user'),
        client: await resolveFilter(snapshot, tenantKey, parameters, 'client'),
        agent: await resolveFilter(snapshot, tenantKey, parameters, 'agent'),
        resource: await resolveFilter(snapshot, tenantKey, parameters, 'resource'),
      };
      const driver = token ? 'token' : ((['user', 'agent', 'client', 'resource'] as const).find((kind) => ids[kind]) ?? 'time');
      const driving = driver === 'token' || driver === 'time' ? NO_IDS : ids[driver]!;
      const start = [MAX_INT64, MAX_INT64, String(window.from ?? snapshot.at - DEFAULT_WINDOW_S)];
      const [at, ix, from] = (position?.slice(2) ?? start) as [string, string, string];
      const rows = await snapshot.rows<AccessRow>(STATEMENTS[driver], [
        driving,
        String(snapshot.index),
        from,
        window.to === undefined ? MAX_INT64 : window.to,
        at,
        ix,
        limit + 1,
        ids.user,
        ids.client,
        ids.agent,
        ids.resource,
        token,
        operation,
        outcome,
        parameters.get('agent_type'),
      ]);
      const shown = rows.slice(0, limit);
      const names = await readNames(snapshot, shown.flatMap(entitiesOf));
      const last = rows.length > limit ? shown.at(-1) : undefined;
      return {
        as_of: asOfOf(snapshot),
        items: shown.map((row) => itemOf(row, names, reader)),
        ...(last ? { next: encodeCursor(tenantKey, question, [...momentToCursor(snapshot), last.at, last.ix, from]) } : {}),
      };
    }, asked);
  };
}

const INDEXED = ['token', 'user', 'user_iss', 'client', 'client_iss', 'agent', 'agent_iss', 'resource'];
const NOT_INDEXED = ['operation', 'outcome', 'agent_type'];

/** What has no index would walk every access of the window to find a few. */
function refuseWide(parameters: Parameters): void {
  const alone = NOT_INDEXED.filter((name) => parameters.has(name));
  if (alone.length === 0 || INDEXED.some((name) => parameters.has(name))) return;
  const named = alone.map((name) => `\`${name}\``).join(', ');
  throw new RescindError('filter-too-wide', { detail: `combine ${named} with user, client, agent, resource or token` });
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

const entitiesOf = (row: AccessRow) => [row.usr, row.client, row.agent, row.res, row.route, row.addr, ...(row.scopes ?? [])];

function itemOf(row: AccessRow, names: Names, reader: Reader): AccessItem {
  return {
    index: row.ix,
    at: Number(row.at),
    ...(row.until_at === row.at ? {} : { until: Number(row.until_at) }),
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
