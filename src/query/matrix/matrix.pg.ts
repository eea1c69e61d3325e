import { secondsOf, timeText } from '../../contracts/index.js';
import { int4Array, loadSql } from '../../platform/postgres/index.js';
import { AGENT_TYPES, COUNTING_TIMEOUT_MS, type Ask, type Snapshot } from '../../projections/index.js';
import { asOfOf, readAsOf } from '../ask/as-of.js';
import { orNull, readNames, resolveFilter } from '../ask/names.pg.js';
import { FILTER_PARAMETERS, readParameters } from '../ask/parameters.js';
import type { Reader } from '../ask/reader.js';
import { scopesOf } from '../ask/usage.js';
import { readTimeAsked } from '../ask/window.js';
import { foldPairs, joinDetails, type PairUse, type ShownPair } from '../graph/pairs.js';
import { readPairs, type FollowPairs, type PairFilter, type ReadPairs } from '../graph/pairs.pg.js';
import { CELL_STATES, type MatrixAnswer, type MatrixCell } from './answers.js';

const TEAMS = { name: 'matrix-teams', text: loadSql(import.meta.url, 'teams.sql') };
const TYPES = { name: 'matrix-agent-types', text: AGENT_TYPES };
/** A connection that was not used for so long is dormant, unless the question says otherwise. */
const DORMANT_AFTER_S = 30 * 86_400;
const ALL_TIME = { from: undefined, to: undefined };

export const MATRIX_PARAMETERS = [
  ...FILTER_PARAMETERS.client,
  ...FILTER_PARAMETERS.agent,
  ...FILTER_PARAMETERS.resource,
  'as_of',
] as const;

/**
 * Answers all connections at once: every client, agent and resource, and a cell for each client at a resource. Rejects with `filter-too-wide` rather
 * than leave one out, so all numbers are exact.
 */
export function createMatrixQuestion({
  ask,
  reader,
  follow,
}: {
  readonly ask: Ask;
  readonly reader: Reader;
  readonly follow: FollowPairs;
}) {
  return (tenant: string, query: unknown): Promise<MatrixAnswer> => {
    const parameters = readParameters(query, [...MATRIX_PARAMETERS, 'used_since']);
    const tenantKey = reader.tenantKey(tenant);
    const asked = readTimeAsked(parameters, 'used_since');
    return ask(
      tenant,
      async (snapshot) => {
        const filter: PairFilter = {
          clients: await resolveFilter(snapshot, tenantKey, parameters, 'client'),
          agents: await resolveFilter(snapshot, tenantKey, parameters, 'agent'),
          resources: await resolveFilter(snapshot, tenantKey, parameters, 'resource'),
        };
        const usedSince = asked ? secondsOf('used_since', asked, snapshot.at) : snapshot.at - DORMANT_AFTER_S;
        const read = await readPairs(snapshot, follow, filter, ALL_TIME);
        const cells = foldPairs(read.pairs).map((pair) => cellOf(pair, read, usedSince));
        return {
          as_of: asOfOf(snapshot),
          used_since: timeText(usedSince),
          ...(await readAxes(snapshot, cells)),
          cells,
          total: totalOf(cells),
        };
      },
      readAsOf(parameters),
      { timeoutMs: COUNTING_TIMEOUT_MS },
    );
  };
}

function cellOf(
  { client, res, rasClients, agents, grants, use }: ShownPair,
  read: ReadPairs,
  usedSince: number,
): MatrixCell {
  const { state, granted, used } = joinDetails(rasClients.map((ras) => read.detailsOf({ client: ras, res })));
  return {
    client,
    resource: res,
    agents: [...agents],
    state: stateOf(use, usedSince),
    connection: state,
    grants,
    accesses: use.accesses,
    allowed: use.allowed,
    denied: use.accesses - use.allowed,
    last_used: orNull(use.lastUsed, timeText),
    ...scopesOf(granted, used),
  };
}

function stateOf({ accesses, lastUsed }: PairUse, usedSince: number): MatrixCell['state'] {
  if (lastUsed !== null) return lastUsed >= usedSince ? 'used' : 'dormant';
  return accesses > 0 ? 'denied' : 'granted';
}

/** Names the clients, agents and resources of the cells, each once, in the order of their ids: a later answer adds to the end. */
async function readAxes(
  snapshot: Snapshot,
  cells: readonly MatrixCell[],
): Promise<Pick<MatrixAnswer, 'clients' | 'agents' | 'resources'>> {
  const clients = idsOf(cells.map(({ client }) => client));
  const agents = idsOf(cells.flatMap((cell) => cell.agents));
  const resources = idsOf(cells.map(({ resource }) => resource));
  const ids = [...clients, ...agents, ...resources];
  const [names, teams, types] = await Promise.all([
    readNames(snapshot, ids),
    snapshot.rows<{ id: number; team: string }>(TEAMS, [int4Array(ids)]),
    agents.length === 0 ? [] : snapshot.rows<{ id: number; value: string }>(TYPES, [String(snapshot.index)]),
  ]);
  const teamOf = new Map(teams.map(({ id, team }) => [id, team]));
  const typeOf = new Map(types.map(({ id, value }) => [id, value]));
  const team = (id: number): { team: string | null } => ({ team: teamOf.get(id) ?? null });
  return {
    clients: clients.map((id) => ({ client: names.client(id), ...team(id) })),
    agents: agents.map((id) => ({ agent: names.agent(id), type: typeOf.get(id) ?? null, ...team(id) })),
    resources: resources.map((id) => ({ resource: names.resource(id), ...team(id) })),
  };
}

const idsOf = (ids: readonly number[]): number[] => [...new Set(ids)].sort((one, other) => one - other);

function totalOf(cells: readonly MatrixCell[]): MatrixAnswer['total'] {
  const sum = (of: (cell: MatrixCell) => number): number => cells.reduce((all, cell) => all + of(cell), 0);
  const [used, dormant, denied, granted] = CELL_STATES.map((state) => sum((cell) => Number(cell.state === state)));
  return {
    cells: cells.length,
    used: used!,
    dormant: dormant!,
    denied: denied!,
    granted: granted!,
    grants: sum((cell) => cell.grants),
    accesses: sum((cell) => cell.accesses),
  };
}
