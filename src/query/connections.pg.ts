import { loadSql } from '../platform/index.js';
import type { ConnectionPage } from './answers.js';
import { asOfOf } from './as-of.js';
import { decodeCursor, encodeCursor, questionOf } from './cursor.js';
import { connectionStateOf } from './entity-kinds.js';
import { orNull, readNames, resolveFilter } from './names.pg.js';
import { FILTER_PARAMETERS, readLimit, readParameters, readWindow } from './parameters.js';
import type { Reader } from './reader.js';
import type { Ask } from './snapshot.pg.js';
import { boundsOf, scopesOf, usageOf, type UsageRow } from './usage.js';

const CONNECTIONS = loadSql(import.meta.url, 'connections.sql');

export const CONNECTION_PARAMETERS = [
  ...FILTER_PARAMETERS.client,
  ...FILTER_PARAMETERS.agent,
  ...FILTER_PARAMETERS.resource,
  'from',
  'to',
  'limit',
  'cursor',
] as const;

/** Which client application may reach which resource application, and does. `from` and `to` bound the usage, not the list. */
export function createConnectionsQuestion({ ask, reader }: { readonly ask: Ask; readonly reader: Reader }) {
  return (tenant: string, query: unknown): Promise<ConnectionPage> => {
    const parameters = readParameters(query, CONNECTION_PARAMETERS);
    const tenantKey = reader.tenantKey(tenant);
    const limit = readLimit(parameters);
    const bounds = boundsOf(readWindow(parameters));
    const question = questionOf('connections', parameters);
    const [after] = parameters.has('cursor') ? decodeCursor(tenantKey, question, parameters.get('cursor')!) : [];

    return ask(tenant, async (snapshot) => {
      const rows = await snapshot.rows<ConnectionRow>(CONNECTIONS, [
        after === undefined ? null : Buffer.from(after, 'base64url'),
        limit + 1,
        await resolveFilter(snapshot, tenantKey, parameters, 'client'),
        await resolveFilter(snapshot, tenantKey, parameters, 'resource'),
        await resolveFilter(snapshot, tenantKey, parameters, 'agent'),
        ...bounds,
      ]);
      const shown = rows.slice(0, limit);
      const names = await readNames(snapshot, shown.flatMap((row) => [row.idp_client, row.client, row.res, row.agent]));
      const last = rows.length > limit ? shown.at(-1) : undefined;
      return {
        as_of: asOfOf(snapshot),
        items: shown.map((row) => ({
          id: row.id.toString('base64url'),
          state: connectionStateOf(row.state),
          since: { index: row.from_ix, at: Math.floor(Number(row.arrival) / 1000) },
          decided_at: row.at === '0' ? null : Number(row.at),
          idp_client: names.client(row.idp_client),
          client: names.client(row.client),
          resource: names.resource(row.res),
          agent: orNull(row.agent, names.agent),
          ...scopesOf(row.scopes, row.used_scopes),
          users: row.users,
          ...usageOf(row),
        })),
        ...(last ? { next: encodeCursor(tenantKey, question, [last.id.toString('base64url')]) } : {}),
      };
    });
  };
}

interface ConnectionRow extends UsageRow {
  readonly [column: string]: unknown;
  readonly id: Buffer;
  readonly from_ix: string;
  readonly state: number;
  readonly arrival: string;
  /** 0: no event of the IdP has named it. */
  readonly at: string;
  readonly idp_client: number;
  readonly client: number;
  readonly res: number;
  readonly agent: number | null;
  readonly scopes: string[];
  readonly used_scopes: string[];
  readonly users: number;
}
