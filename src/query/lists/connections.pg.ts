import { timeText } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import type { ConnectionPage } from './answers.js';
import { asOfOf } from '../ask/as-of.js';
import { connectionStateOf } from '../ask/entity-kinds.js';
import { readPairs, type FollowPairs } from '../graph/pairs.pg.js';
import { orNull, readNames, resolveFilter } from '../ask/names.pg.js';
import { readPageAsOf } from '../ask/page.js';
import { FILTER_PARAMETERS, readParameters } from '../ask/parameters.js';
import { readWindow, windowAt } from '../ask/window.js';
import type { Reader } from '../ask/reader.js';
import type { Ask } from '../../projections/index.js';
import { scopesOf, usageOf } from '../ask/usage.js';

const CONNECTIONS = loadSql(import.meta.url, 'connections.sql');

export const CONNECTION_PARAMETERS = [
  ...FILTER_PARAMETERS.client,
  ...FILTER_PARAMETERS.agent,
  ...FILTER_PARAMETERS.resource,
  'from',
  'to',
  'as_of',
  'limit',
  'cursor',
] as const;

/**
 * Lists which client application may reach which resource application, and which does. `from` and `to` bound the usage,
 * not the list.
 */
export function createConnectionsQuestion({
  ask,
  reader,
  follow,
}: {
  readonly ask: Ask;
  readonly reader: Reader;
  readonly follow: FollowPairs;
}) {
  return (tenant: string, query: unknown): Promise<ConnectionPage> => {
    const parameters = readParameters(query, CONNECTION_PARAMETERS);
    const tenantKey = reader.tenantKey(tenant);
    const page = readPageAsOf('connections', tenantKey, parameters);
    const window = readWindow(parameters);

    return ask(
      tenant,
      async (snapshot) => {
        const rows = await snapshot.rows<ConnectionRow>(CONNECTIONS, [
          page.after === undefined ? null : Buffer.from(page.after[0]!, 'base64url'),
          page.limit + 1,
          await resolveFilter(snapshot, tenantKey, parameters, 'client'),
          await resolveFilter(snapshot, tenantKey, parameters, 'resource'),
          await resolveFilter(snapshot, tenantKey, parameters, 'agent'),
          String(snapshot.index),
        ]);
        const { shown, next } = page.cut(snapshot, rows, ({ id }) => [id.toString('base64url')]);
        const names = await readNames(
          snapshot,
          shown.flatMap((row) => [row.idp_client, row.client, row.res, row.agent]),
        );
        const known = await readPairs(
          snapshot,
          follow,
          { clients: idsOf(shown, 'client'), resources: idsOf(shown, 'res') },
          windowAt(window, snapshot.at),
        );
        const pairs = new Map(known.pairs.map((pair) => [`${pair.client} ${pair.res}`, pair]));
        return {
          as_of: asOfOf(snapshot),
          items: shown.map((row) => {
            const pair = pairs.get(`${row.client} ${row.res}`)!;
            return {
              id: row.id.toString('base64url'),
              state: connectionStateOf(row.state),
              since: { index: row.from_ix, at: timeText(Math.floor(Number(row.arrival) / 1000)) },
              decided_at: row.at === '0' ? null : timeText(Number(row.at)),
              idp_client: names.client(row.idp_client),
              client: names.client(row.client),
              resource: names.resource(row.res),
              agent: orNull(row.agent, names.agent),
              ...scopesOf(row.scopes, known.detailsOf(row).used),
              users: pair.grants,
              ...usageOf(pair.use),
            };
          }),
          ...next,
        };
      },
      page.asked,
    );
  };
}

const idsOf = (rows: readonly ConnectionRow[], column: 'client' | 'res'): number[] => [
  ...new Set(rows.map((row) => row[column])),
];

interface ConnectionRow {
  readonly [column: string]: unknown;
  readonly id: Buffer;
  readonly from_ix: string;
  readonly state: number;
  readonly arrival: string;
  /** 0 if no event of the IdP has named the connection. */
  readonly at: string;
  readonly idp_client: number;
  readonly client: number;
  readonly res: number;
  readonly agent: number | null;
  readonly scopes: string[];
}
