import { timeText } from '../../contracts/index.js';
import { int4Array, loadSql } from '../../platform/postgres/index.js';
import { type Ask, readUsesOfGrants, type Snapshot, type UserUses } from '../../projections/index.js';
import { asOfOf, readAsOf } from '../ask/as-of.js';
import { orNull, readNames, resolveFilter } from '../ask/names.pg.js';
import { FILTER_PARAMETERS, inconsistent, readParameters } from '../ask/parameters.js';
import type { Reader } from '../ask/reader.js';
import type { ReviewItem } from './answers.js';
import { csvLine } from '../../platform/csv/index.js';
import { readFormat } from './format.js';
import { findGrantRules, type ReviewedGrant } from './grant-rules.pg.js';
import type { Report, ReportStreams } from './stream.js';

export const REVIEW_PARAMETERS = [...FILTER_PARAMETERS.user, ...FILTER_PARAMETERS.resource, 'format', 'as_of'] as const;

const DAY_S = 86_400;
/** Grants held in memory at a time, with their uses. It bounds a report's memory, whatever its length. */
const PAGE = 1_000;
/** Time for a slow reader. A reader that takes nothing is given up after the session's idle time. */
const TRANSACTION_MS = 600_000;
// The server applies a new limit to a running transaction only if the old one is switched off first.
const ALLOW_TIME = `SELECT set_config('transaction_timeout', '0', true), set_config('transaction_timeout', '${TRANSACTION_MS}', true) FROM (SELECT $1::uuid) t`;

const GRANTS = loadSql(import.meta.url, 'reviewed-grants.sql');
const GRANTS_OF = {
  user: GRANTS.replace('{driven}', 'g.usr = ANY ($3::int[])'), // grant_version_pkey
  resource: GRANTS.replace('{driven}', 'g.res = ANY ($3::int[])'), // grant_res
} as const;
const SCOPES = { name: 'reviewed-scopes', text: loadSql(import.meta.url, 'reviewed-scopes.sql') };

/** Reports every standing grant of a user or of a resource with its usage, whatever its length. */
export function createAccessReview({
  ask,
  reader,
  streams,
}: {
  readonly ask: Ask;
  readonly reader: Reader;
  readonly streams: ReportStreams;
}) {
  return async (tenant: string, query: unknown): Promise<Report> => {
    const parameters = readParameters(query, REVIEW_PARAMETERS);
    const tenantKey = reader.tenantKey(tenant);
    const format = readFormat(parameters);
    const asked = readAsOf(parameters);
    const ofUser = FILTER_PARAMETERS.user.some((name) => parameters.has(name));
    if (ofUser === parameters.has('resource')) throw inconsistent('name a user or a resource');
    const kind = ofUser ? 'user' : 'resource';
    let index = '';
    const body = await streams.open(tenant, (write) =>
      ask(
        tenant,
        async (snapshot) => {
          const ids = await resolveFilter(snapshot, tenantKey, parameters, kind);
          index = String(snapshot.index);
          await write(format === 'csv' ? csvLine(COLUMNS) : `{"as_of":${JSON.stringify(asOfOf(snapshot))},"items":[`);
          let isFirst = true;
          for await (const page of snapshot.pages<GrantRow>(GRANTS_OF[kind], [String(snapshot.index), ids], PAGE)) {
            if (isFirst && page.length === PAGE) await snapshot.rows(ALLOW_TIME);
            const items = await describePage(snapshot, tenantKey, page);
            await write(
              format === 'csv'
                ? items.map(lineOf).join('')
                : `${isFirst ? '' : ','}${items.map((item) => JSON.stringify(item)).join(',')}`,
            );
            isFirst = false;
          }
          if (format === 'json') await write(']}');
        },
        asked,
      ),
    );
    return {
      contentType: format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/json; charset=utf-8',
      fileName: `access-review-${kind}-as-of-${index}.${format}`,
      body,
    };
  };
}

interface GrantRow extends ReviewedGrant {
  readonly [column: string]: unknown;
  readonly scopes: string[];
}

interface ScopesRow {
  readonly [column: string]: unknown;
  readonly first_ix: string;
  readonly first_arrival: string;
  readonly used_scopes: string[];
}

async function describePage(
  snapshot: Snapshot,
  tenantKey: Uint8Array,
  page: readonly GrantRow[],
): Promise<ReviewItem[]> {
  const columns = [page.map(({ usr }) => usr), page.map(({ client }) => client), page.map(({ res }) => res)];
  const scopes = await snapshot.rows<ScopesRow>(SCOPES, [String(snapshot.index), ...columns.map(int4Array)]);
  const used = new Map(
    (await readUsesOfGrants(snapshot, page, { since: [snapshot.at - 30 * DAY_S, snapshot.at - 90 * DAY_S] })).map(
      (use) => [keyOf(use), use],
    ),
  );
  const names = await readNames(
    snapshot,
    page.flatMap(({ usr, client, res, agent }) => [usr, client, res, agent]),
  );
  const rules = await findGrantRules(snapshot, tenantKey, page, names);
  return page.map((grant, nth) => {
    const use = used.get(keyOf(grant));
    return {
      user: names.user(grant.usr),
      client: names.client(grant.client),
      agent: orNull(grant.agent, names.agent),
      resource: names.resource(grant.res),
      granted_scopes: [...grant.scopes],
      used_scopes: [...scopes[nth]!.used_scopes],
      first_granted: {
        index: scopes[nth]!.first_ix,
        at: timeText(Math.floor(Number(scopes[nth]!.first_arrival) / 1000)),
      },
      last_used: orNull(use?.lastUsed ?? null, timeText),
      uses_30_days: use?.since[0] ?? 0,
      uses_90_days: use?.since[1] ?? 0,
      rules: [...rules[nth]!],
    };
  });
}

const keyOf = ({ usr, client, res }: Pick<UserUses, 'usr' | 'client' | 'res'>): string => `${usr} ${client} ${res}`;

const COLUMNS = [
  'user_issuer',
  'user_tenant',
  'user',
  'client_issuer',
  'client',
  'agent_issuer',
  'agent',
  'resource',
  'granted_scopes',
  'used_scopes',
  'first_granted_index',
  'first_granted_at',
  'last_used_at',
  'uses_30_days',
  'uses_90_days',
  'rules',
];

const lineOf = (item: ReviewItem): string =>
  csvLine([
    item.user.iss,
    item.user.tenant ?? null,
    item.user.sub,
    item.client.iss,
    item.client.client_id,
    item.agent?.iss ?? null,
    item.agent?.id ?? null,
    item.resource.uri,
    item.granted_scopes.join(' '),
    item.used_scopes.join(' '),
    item.first_granted.index,
    item.first_granted.at,
    item.last_used,
    item.uses_30_days,
    item.uses_90_days,
    item.rules.join(' '),
  ]);
