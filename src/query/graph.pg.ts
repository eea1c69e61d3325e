import { RescindError } from '../contracts/index.js';
import { loadSql } from '../platform/index.js';
import type { GraphAnswer } from './answers.js';
import { asOfOf } from './as-of.js';
import { drawGraph, MAX_GRAPH_NODES, type HeldGrant, type ReachedPair } from './graph.js';
import { readNames, resolveFilter } from './names.pg.js';
import { FILTER_PARAMETERS, readParameters, readWindow } from './parameters.js';
import type { Reader } from './reader.js';
import type { Ask, Snapshot } from './snapshot.pg.js';
import { boundsOf } from './usage.js';

const CONNECTIONS = loadSql(import.meta.url, 'graph-connections.sql');
const USERS = loadSql(import.meta.url, 'graph-users.sql');
const DISABLED = 'SELECT entity FROM principal_version WHERE tenant = $1 AND to_ix IS NULL AND state = 0 AND entity = ANY ($2::int[])';

/** Pairs of client and resource that one graph is drawn from; more are refused, since what is left out could not be counted. */
export const MAX_GRAPH_PAIRS = 5_000;
const STATES = { 1: 'deleted', 2: 'observed', 3: 'created' } as const;

export const GRAPH_PARAMETERS = [
  ...FILTER_PARAMETERS.user,
  ...FILTER_PARAMETERS.client,
  ...FILTER_PARAMETERS.agent,
  ...FILTER_PARAMETERS.resource,
  'from',
  'to',
] as const;

/** Who is connected to what. `from` and `to` bound the usage that is counted; what had none in the window is drawn too. */
export function createGraphQuestion({ ask, reader }: { readonly ask: Ask; readonly reader: Reader }) {
  return (tenant: string, query: unknown): Promise<GraphAnswer> => {
    const parameters = readParameters(query, GRAPH_PARAMETERS);
    const tenantKey = reader.tenantKey(tenant);
    const bounds = boundsOf(readWindow(parameters));

    return ask(tenant, async (snapshot) => {
      const users = await resolveFilter(snapshot, tenantKey, parameters, 'user');
      const clients = await resolveFilter(snapshot, tenantKey, parameters, 'client');
      const agents = await resolveFilter(snapshot, tenantKey, parameters, 'agent');
      const resources = await resolveFilter(snapshot, tenantKey, parameters, 'resource');
      const rows = await snapshot.rows<PairRow>(CONNECTIONS, [users, clients, agents, resources, ...bounds, MAX_GRAPH_PAIRS + 1]);
      if (rows.length > MAX_GRAPH_PAIRS) {
        throw new RescindError('filter-too-wide', { detail: `over ${MAX_GRAPH_PAIRS} connections: name a user, client, agent or resource` });
      }
      const held = await readHeld(snapshot, rows, users, agents);
      const pairs = rows.map(pairOf);
      const ids = [...pairs.flatMap(({ client, res, agents: acting }) => [client, res, ...acting]), ...held.grants.map(({ usr }) => usr)];
      const names = await readNames(snapshot, ids);
      const disabled = await snapshot.rows<{ entity: number }>(DISABLED, [ids]);
      return {
        as_of: asOfOf(snapshot),
        ...drawGraph({ pairs, ...held, names, disabled: new Set(disabled.map(({ entity }) => entity)) }),
      };
    });
  };
}

async function readHeld(
  snapshot: Snapshot,
  rows: readonly PairRow[],
  users: readonly number[] | undefined,
  agents: readonly number[] | undefined,
): Promise<{ grants: readonly HeldGrant[]; users: number }> {
  const carried = rows.flatMap((row) => row.ras_clients.map((client) => [client, row.res, row.client] as const));
  const columns = [0, 1, 2].map((column) => carried.map((pair) => pair[column]));
  const held = await snapshot.rows<HeldRow>(USERS, [...columns, users, agents, MAX_GRAPH_NODES]);
  return {
    grants: held.map((row) => ({ usr: row.usr, client: row.client, resources: Number(row.resources) })),
    users: Number(held[0]?.total ?? 0),
  };
}

const pairOf = (row: PairRow): ReachedPair => ({
  client: row.client,
  res: row.res,
  grants: Number(row.grants),
  accesses: Number(row.accesses),
  allowed: Number(row.allowed),
  last: row.last === null ? null : Number(row.last),
  state: row.standing === null ? 'unrecorded' : STATES[row.standing],
  agents: row.agents,
});

interface PairRow {
  readonly [column: string]: unknown;
  readonly client: number;
  readonly res: number;
  readonly grants: string;
  readonly accesses: string;
  readonly allowed: string;
  readonly last: string | null;
  readonly standing: 1 | 2 | 3 | null;
  readonly ras_clients: readonly number[];
  readonly agents: readonly number[];
}

interface HeldRow {
  readonly [column: string]: unknown;
  readonly usr: number;
  readonly client: number;
  readonly resources: string;
  readonly total: string;
}
