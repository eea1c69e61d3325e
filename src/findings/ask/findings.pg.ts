import { FINDING_STATES, instantText, RescindError, timeText, type FindingChanged } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import type { Ask, Names, Snapshot } from '../../projections/index.js';
import {
  FILTER_PARAMETERS,
  invalid,
  readChoice,
  readEvidenceFiles,
  readFlag,
  readNames,
  readAsOf,
  readPage,
  readPageAsOf,
  readParameters,
  readTagged,
  readTags,
  readWindow,
  resolveFilter,
  windowAt,
  type PageAsOf,
  type Parameters,
  type Reader,
} from '../../query/index.js';
import { readActions, type FindingAction } from '../actions/shown.pg.js';
import { KINDS, SEVERITIES } from '../detection.js';
import { detectionOf } from '../detections.js';
import type { FindingItem, FindingPage } from './answers.js';
import { saysOf } from './says.js';
import { seeOf } from './see.js';
import { stopOf } from './stop.js';
import { withStates } from './with-states.js';

const FINDINGS = loadSql(import.meta.url, 'findings.sql');
const NOW = withStates(FINDINGS, { at: '$15' });
const PAST = withStates(FINDINGS, { at: '$15', index: '$18' });
const READ_TO = 'SELECT next_ix FROM finding_cursor WHERE tenant = $1';
const HAD_READ_TO = loadSql(import.meta.url, 'had-read.sql');
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const FINDING_FILTERS = [
  ...FILTER_PARAMETERS.user,
  ...FILTER_PARAMETERS.client,
  ...FILTER_PARAMETERS.agent,
  ...FILTER_PARAMETERS.resource,
  'as_of',
  'limit',
  'cursor',
] as const;
/** Parameters that only this question has; the controller documents them. */
export const FINDING_OWN_PARAMETERS = ['state', 'severity', 'kind', 'source', 'tag', 'from', 'to'] as const;

export interface Findings {
  list(tenant: string, query: unknown): Promise<FindingPage>;
  one(tenant: string, id: string, query: unknown): Promise<FindingItem>;
  /** Finds a finding that may be gone meanwhile; undefined then. */
  find(tenant: string, id: string): Promise<FindingItem | undefined>;
  /** Finds a finding for somebody who is about to change its state. Rejects with `not-found`. */
  current(tenant: string, id: string): Promise<Current>;
}

/** A finding, and what the detections had read when it was looked at. */
export interface Current {
  readonly item: FindingItem;
  /** The index below which they had read the ledger. */
  readonly read: string;
  /** Names for which its kind is muted, if that is why it is not open. */
  readonly muted: readonly string[];
}

/** Answers what the detections found, now or at a moment. */
export function createFindings({ ask, reader }: { readonly ask: Ask; readonly reader: Reader }): Findings {
  async function read(snapshot: Snapshot, id: string, isPast: boolean): Promise<FindingRow> {
    const nothing = Array.from({ length: 9 }, () => null);
    const values = [null, 1, ...nothing, id, null, snapshot.at, null, null];
    const [row] = await readRows(snapshot, values, isPast);
    if (row === undefined) throw notFound();
    return row;
  }
  async function item(snapshot: Snapshot, row: FindingRow, isPast: boolean): Promise<FindingItem> {
    const [shown] = await itemsOf(snapshot, reader, [row], isPast);
    return shown!;
  }

  return {
    list(tenant, query) {
      const parameters = readParameters(query, [...FINDING_OWN_PARAMETERS, ...FINDING_FILTERS]);
      const tenantKey = reader.tenantKey(tenant);
      const isPast = parameters.has('as_of');
      const page = readPages(tenantKey, parameters);
      const window = readWindow(parameters);
      const filters = readFilters(parameters);
      const source = readSource(reader, tenant, parameters);
      const tags = readTags(parameters, 'tag');
      const list = async (snapshot: Snapshot): Promise<FindingPage> => {
        const { from, to } = windowAt(window, snapshot.at);
        const resolve = (kind: 'user' | 'client' | 'agent' | 'resource') =>
          resolveFilter(snapshot, tenantKey, parameters, kind);
        const values = [
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
          snapshot.at,
          source,
          tags === null ? null : await readTagged(snapshot, tags),
        ];
        const rows = await readRows(snapshot, values, isPast);
        const { shown, next } = page.cut(snapshot, rows, (last) => [last.last_at, last.id]);
        return {
          as_of: { index: await readTo(snapshot, isPast) },
          items: await itemsOf(snapshot, reader, shown, isPast),
          ...next,
        };
      };
      return ask(tenant, list, page.asked);
    },
    one(tenant, id, query) {
      const parameters = readParameters(query, ['as_of', 'evidence']);
      const asked = readAsOf(parameters);
      const withEvidence = readFlag(parameters, 'evidence', false);
      const isPast = asked !== undefined;
      requireId(id);
      const one = async (snapshot: Snapshot): Promise<FindingItem> => {
        const shown = await item(snapshot, await read(snapshot, id, isPast), isPast);
        if (!withEvidence) return shown;
        return { ...shown, evidence: await readEvidenceFiles(snapshot, shown.entries.map(BigInt)) };
      };
      return ask(tenant, one, asked);
    },
    async find(tenant, id) {
      try {
        return await this.one(tenant, id, {});
      } catch (error) {
        if (error instanceof RescindError && error.code === 'not-found') return undefined;
        throw error;
      }
    },
    current(tenant, id) {
      requireId(id);
      return ask(tenant, async (snapshot) => {
        const row = await read(snapshot, id, false);
        return {
          item: await item(snapshot, row, false),
          read: await readTo(snapshot, false),
          muted: row.why === 'wide' ? (row.said?.same ?? []) : [],
        };
      });
    },
  };
}

const readRows = (snapshot: Snapshot, values: readonly unknown[], isPast: boolean): Promise<FindingRow[]> =>
  isPast ? snapshot.rows(PAST, [...values, String(snapshot.index)]) : snapshot.rows(NOW, values);

/** Returns the index below which the detections have read every entry, or had at the moment. */
async function readTo(snapshot: Snapshot, isPast: boolean): Promise<string> {
  const [row] = await (isPast
    ? snapshot.rows<{ next_ix: string }>(HAD_READ_TO, [String(snapshot.index)])
    : snapshot.rows<{ next_ix: string }>(READ_TO));
  return row?.next_ix ?? '0';
}

/** Reads the page that is asked for. Pages of the past have the moment of the first one; the others show findings as they are now. */
function readPages(tenantKey: Uint8Array, parameters: Parameters): Omit<PageAsOf, 'seal'> {
  if (parameters.has('as_of')) return readPageAsOf('findings', tenantKey, parameters);
  const { cut, ...page } = readPage('findings', tenantKey, parameters);
  return { ...page, asked: undefined, cut: (_now, rows, positionOf) => cut(rows, positionOf) };
}

function requireId(id: string): void {
  if (!UUID.test(id)) throw notFound();
}

const notFound = (): RescindError => new RescindError('not-found', { detail: 'there is no finding of this id' });

function readFilters(parameters: Parameters): readonly unknown[] {
  const severity = readChoice(parameters, 'severity', Object.fromEntries(SEVERITIES.map((value, nth) => [value, nth])));
  return [readSeveral(parameters, 'state', FINDING_STATES), severity ?? null, readSeveral(parameters, 'kind', KINDS)];
}

function readSeveral(parameters: Parameters, name: string, known: readonly string[]): readonly string[] | null {
  const values = parameters.get(name)?.split(',');
  if (values?.some((value) => !known.includes(value)))
    throw invalid(`\`${name}\` is one or more of ${known.join(', ')}, separated by commas`);
  return values ?? null;
}

function readSource(reader: Reader, tenant: string, parameters: Parameters): string | null {
  const name = parameters.get('source');
  if (name === undefined) return null;
  const source = reader.findSource(tenant, name);
  if (source === undefined) throw new RescindError('not-found', { detail: 'no source of this name or id' });
  return source.id;
}

/** Shows findings. The decisions of their detections are those of now, so that an answer about the past has none. */
async function itemsOf(
  snapshot: Snapshot,
  reader: Reader,
  rows: readonly FindingRow[],
  isPast: boolean,
): Promise<FindingItem[]> {
  const names = await namesFor(snapshot, rows);
  const ids = isPast ? [] : rows.map(({ id }) => id);
  const actions = await readActions(snapshot, ids);
  return rows.map((row) => itemOf(row, names, reader, actions.get(row.id)));
}

export const namesFor = (snapshot: Snapshot, rows: readonly FindingRow[]): Promise<Names> =>
  readNames(
    snapshot,
    rows.flatMap((row) => [row.usr, row.client, row.agent, row.res]),
  );

export function itemOf(row: FindingRow, names: Names, reader: Reader, action?: FindingAction): FindingItem {
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
    state_by: row.said?.author ?? null,
    state_at: row.at_ms === null ? null : instantText(Number(row.at_ms)),
    reason: row.said?.reason ?? null,
    muted_until: row.said?.until === undefined ? null : timeText(row.said.until),
    says: saysOf(detection, { count: Number(row.count), user, client, resource, source, details }),
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
  readonly state: FindingChanged['state'];
  /** The words of a person, if the state is theirs. */
  readonly said: FindingChanged | null;
  readonly at_ms: string | null;
  /** Says where the state comes from, as `state.sql` does. */
  readonly why: string;
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
