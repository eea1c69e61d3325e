import { timeText } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import { type Ask, readUsesOfGrants } from '../../projections/index.js';
import type { GrantPage } from './answers.js';
import { asOfOf } from '../ask/as-of.js';
import { NO_USE } from '../graph/pairs.js';
import { orNull, readNames, resolveFilter } from '../ask/names.pg.js';
import { readPageAsOf } from '../ask/page.js';
import { FILTER_PARAMETERS, readParameters } from '../ask/parameters.js';
import { readWindow, windowAt } from '../ask/window.js';
import type { Reader } from '../ask/reader.js';
import { boundsOf, scopesOf, usageOf } from '../ask/usage.js';

const GRANTS = loadSql(import.meta.url, 'grants.sql');
const FIRST_POSITION = ['0', '0', '0'];

export const GRANT_PARAMETERS = [
  ...FILTER_PARAMETERS.user,
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
 * Lists the standing rights (user × client × resource) with granted and used scopes. `from` and `to` bound the usage,
 * not the list.
 */
export function createGrantsQuestion({ ask, reader }: { readonly ask: Ask; readonly reader: Reader }) {
  return (tenant: string, query: unknown): Promise<GrantPage> => {
    const parameters = readParameters(query, GRANT_PARAMETERS);
    const tenantKey = reader.tenantKey(tenant);
    const page = readPageAsOf('grants', tenantKey, parameters);
    const asked = readWindow(parameters);

    return ask(
      tenant,
      async (snapshot) => {
        const rows = await snapshot.rows<GrantRow>(GRANTS, [
          ...(page.after ?? FIRST_POSITION),
          page.limit + 1,
          await resolveFilter(snapshot, tenantKey, parameters, 'user'),
          await resolveFilter(snapshot, tenantKey, parameters, 'client'),
          await resolveFilter(snapshot, tenantKey, parameters, 'resource'),
          await resolveFilter(snapshot, tenantKey, parameters, 'agent'),
          String(snapshot.index),
        ]);
        const { shown, next } = page.cut(snapshot, rows, ({ usr, client, res }) => [usr, client, res].map(String));
        const names = await readNames(
          snapshot,
          shown.flatMap((row) => [row.usr, row.client, row.res, row.agent]),
        );
        const used = await readUsesOfGrants(snapshot, shown, { window: boundsOf(windowAt(asked, snapshot.at)) });
        const uses = new Map(used.map((use) => [`${use.usr} ${use.client} ${use.res}`, use]));
        return {
          as_of: asOfOf(snapshot),
          items: shown.map((row) => ({
            user: names.user(row.usr),
            client: names.client(row.client),
            resource: names.resource(row.res),
            agent: orNull(row.agent, names.agent),
            ...scopesOf(row.scopes, row.used_scopes),
            first_granted: { index: row.first_ix, at: timeText(Math.floor(Number(row.first_arrival) / 1000)) },
            ...usageOf({ ...NO_USE, ...uses.get(`${row.usr} ${row.client} ${row.res}`) }),
          })),
          ...next,
        };
      },
      page.asked,
    );
  };
}

interface GrantRow {
  readonly [column: string]: unknown;
  readonly usr: number;
  readonly client: number;
  readonly res: number;
  readonly agent: number | null;
  readonly scopes: string[];
  readonly used_scopes: string[];
  readonly first_ix: string;
  readonly first_arrival: string;
}
