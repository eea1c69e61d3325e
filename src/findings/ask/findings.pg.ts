import { instantText, RescindError, timeText } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import type { Ask, Names, Snapshot } from '../../projections/index.js';
import {
  FILTER_PARAMETERS,
  invalid,
  readChoice,
  readNames,
  readPage,
  readParameters,
  readWindow,
  resolveFilter,
  windowAt,
  type Page,
  type Parameters,
  type Reader,
} from '../../query/index.js';
import { readActions, type FindingAction } from '../actions/shown.pg.js';
import { KINDS, SEVERITIES } from '../detection.js';
import { detectionOf } from '../detections.js';
import { STATES, type FindingItem, type FindingPage } from './answers.js';
import { seeOf } from './see.js';
import { stopOf } from './stop.js';

const FINDINGS = loadSql(import.meta.url, 'findings.sql');
const READ_TO = 'SELECT next_ix FROM finding_cursor WHERE tenant = $1';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const FINDING_FILTERS = [
  ...FILTER_PARAMETERS.user,
  ...FILTER_PARAMETERS.client,
  ...FILTER_PARAMETERS.agent,
  ...FILTER_PARAMETERS.resource,
  'limit',
  'cursor',
] as const;
/** Parameters that only this question has; the controller documents them. */
export const FINDING_OWN_PARAMETERS = ['state', 'severity', 'kind', 'from', 'to'] as const;

export interface Findings {
  list(tenant: string, query: unknown): Promise<FindingPage>;
  one(tenant: string, id: string, query: unknown): Promise<FindingItem>;
}

/** Answers what the detections found. Findings are as they are now. */
export function createFindings({ ask, reader }: { readonly ask: Ask; readonly reader: Reader }): Findings {
  return {
    list(tenant, query) {
      const parameters = readParameters(query, [...FINDING_OWN_PARAMETERS, ...FINDING_FILTERS]);
      const tenantKey = reader.tenantKey(tenant);
      const page = readPage('findings', tenantKey, parameters);
      const window = readWindow(parameters);
      const filters = readFilters(parameters);
      return ask(tenant, async (snapshot) => {
        const { from, to } = windowAt(window, snapshot.at);
        const resolve = (kind: 'user' | 'client' | 'agent' | 'resource') =>
          resolveFilter(snapshot, tenantKey, parameters, kind);
        const rows = await snapshot.rows<FindingRow>(FINDINGS, [
          page.after?.[0] ?? null,
          page.limit + 1,
          ...filters,
          await resolve('user'),
          await resolve('client'),
          await resolve('agent'),
          await resolve('resource'),
          from ?? null,
          to ?? null,
          null,
          page.after?.[1] ?? null,
        ]);
        return answer(snapshot, reader, page, rows);
      });
    },
    one(tenant, id, query) {
      readParameters(query, []);
      if (!UUID.test(id)) throw notFound();
      return ask(tenant, async (snapshot) => {
        const nothing = Array.from({ length: 9 }, () => null);
        const rows = await snapshot.rows<FindingRow>(FINDINGS, [null, 1, ...nothing, id, null]);
        if (rows.length === 0) throw notFound();
        const names = await namesFor(snapshot, rows);
        const actions = await readActions(snapshot, [id]);
        return itemOf(rows[0]!, names, reader, actions.get(id));
      });
    },
  };
}

const notFound = (): RescindError => new RescindError('not-found', { detail: 'there is no finding of this id' });

function readFilters(parameters: Parameters): readonly unknown[] {
  const kinds = parameters.get('kind')?.split(',');
  const unknown = kinds?.find((kind) => !(KINDS as readonly string[]).includes(kind));
  if (unknown !== undefined) throw invalid(`\`kind\` is one or more of ${KINDS.join(', ')}, separated by commas`);
  const choice = (name: string, values: readonly string[]): number | undefined =>
    readChoice(parameters, name, Object.fromEntries(values.map((value, nth) => [value, nth])));
  const state = choice('state', STATES);
  return [state === undefined ? null : STATES[state], choice('severity', SEVERITIES) ?? null, kinds ?? null];
}

async function answer(
  snapshot: Snapshot,
  reader: Reader,
  page: Page,
  rows: readonly FindingRow[],
): Promise<FindingPage> {
  const { shown, next } = page.cut(rows, (last) => [last.last_at, last.id]);
  const names = await namesFor(snapshot, shown);
  const [cursor] = await snapshot.rows<{ next_ix: string }>(READ_TO);
  const actions = await readActions(
    snapshot,
    shown.map(({ id }) => id),
  );
  return {
    as_of: { index: cursor?.next_ix ?? '0' },
    items: shown.map((row) => itemOf(row, names, reader, actions.get(row.id))),
    ...next,
  };
}

const namesFor = (snapshot: Snapshot, rows: readonly FindingRow[]): Promise<Names> =>
  readNames(
    snapshot,
    rows.flatMap((row) => [row.usr, row.client, row.agent, row.res]),
  );

function itemOf(row: FindingRow, names: Names, reader: Reader, action: FindingAction | undefined): FindingItem {
  const detection = detectionOf(row.kind);
  if (detection === undefined)
    throw new RescindError('internal', { cause: new Error(`no detection finds ${row.kind}`) });
  const user = row.usr === null ? null : names.user(row.usr);
  const client = row.client === null ? null : names.client(row.client);
  const agent = row.agent === null ? null : names.agent(row.agent);
  const resource = row.res === null ? null : names.resource(row.res);
  const source = row.source === null ? null : reader.source(row.source);
  const { whole: _, ...details } = row.details;
  const item = {
    id: row.id,
    kind: detection.kind,
    severity: SEVERITIES[row.severity]!,
    state: row.state,
    says: detection.says({
      count: Number(row.count),
      user: user?.display_name ?? user?.sub ?? 'an unknown user',
      client: client?.display_name ?? client?.client_id ?? 'an unknown client',
      resource: resource?.uri ?? 'an unknown resource',
      source: source?.name ?? 'a source',
      details,
    }),
    means: detection.means,
    next: detection.next,
    first_seen: timeText(Number(row.first_at)),
    last_seen: timeText(Number(row.last_at)),
    found_at: instantText(Number(row.found_ms)),
    closed_at: row.closed_ms === null ? null : instantText(Number(row.closed_ms)),
    count: Number(row.count),
    user,
    client,
    agent,
    resource,
    token: row.tok === null ? null : row.tok.toString('base64url'),
    source,
    entries: row.entries,
    details,
  };
  return {
    ...item,
    see: seeOf(detection.see, item),
    stop: stopOf(detection.stop, item, row.facts),
    action: action ?? null,
  };
}

export interface FindingRow {
  readonly [column: string]: unknown;
  readonly id: string;
  readonly kind: string;
  readonly severity: number;
  readonly state: (typeof STATES)[number];
  readonly count: string;
  readonly first_at: string;
  readonly last_at: string;
  readonly usr: number | null;
  readonly client: number | null;
  readonly agent: number | null;
  readonly res: number | null;
  readonly tok: Buffer | null;
  readonly source: string | null;
  readonly entries: string[];
  readonly details: Readonly<Record<string, unknown>>;
  readonly found_ms: string;
  readonly closed_ms: string | null;
  /** Facts of the token. */
  readonly facts: Readonly<Record<string, unknown>> | null;
}
