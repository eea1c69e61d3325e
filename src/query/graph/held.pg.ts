import { loadSql } from '../../platform/postgres/index.js';
import type { Snapshot } from '../../projections/index.js';
import { RescindError } from '../../contracts/index.js';
import type { TeamReach } from './canvas.js';
import { edgeKey } from './known-edges.js';
import type { Grants } from './neighbourhood.js';
import type { ShownPair } from './pairs.js';
import type { PairFilter, ReadPairs } from './pairs.pg.js';
import { widestReach } from './users-grants.pg.js';

/** Text without a name, so that it is planned for its values: few pairs need another plan than many. */
const USERS = loadSql(import.meta.url, 'users.sql');
const ISSUER_CLIENTS = loadSql(import.meta.url, 'issuer-clients.sql');
const ISSUER_USERS = 'SELECT 1 FROM issuer_user WHERE tenant = $1 AND iss = $2 AND from_ix < $3 LIMIT 1';
const TEAM_USERS = loadSql(import.meta.url, 'team-users.sql');
const GRANTS_OF_USERS = loadSql(import.meta.url, 'grants-of-users.sql');

/**
 * Grants that one answer walks to find the users with the widest reach. If there are more, the number of users is a
 * lower bound.
 */
export const MAX_GRANTS_WALKED = 20_000;

/** Grants that are counted by team. If there are more, the answer would not be exact in time. */
export const MAX_GRANTS_BY_TEAM = 500_000;

export interface GrantReader extends Grants {
  /** Counts the users of each team, the largest team first. Rejects with `filter-too-wide` beyond {@link MAX_GRANTS_BY_TEAM}. */
  readonly ofTeams: () => Promise<readonly TeamReach[]>;
  /**
   * Finds the clients, as shown, at which users of the issuer hold a grant. Undefined if no user of it ever held one.
   */
  readonly ofIssuer: (iss: string) => Promise<readonly number[] | undefined>;
  readonly cut: () => boolean;
}

/**
 * Creates the reader of grants behind the pairs of an answer. `cut` says whether some walk stopped before it had seen
 * all.
 */
export function createGrantReader(
  snapshot: Snapshot,
  pairs: readonly ShownPair[],
  { held, shownAs }: ReadPairs,
  { agents, users }: Pick<PairFilter, 'agents' | 'users'>,
): GrantReader {
  let cut = false;
  const carriedBy = (wanted: readonly ShownPair[]): number[][] => {
    const carried = wanted.flatMap((pair) => pair.rasClients.map((client) => [client, pair.res, pair.client] as const));
    return [0, 1, 2].map((column) => carried.map((pair) => pair[column]!));
  };
  return {
    cut: () => cut,
    async ofTeams() {
      if (pairs.reduce((sum, { grants }) => sum + grants, 0) > MAX_GRANTS_BY_TEAM)
        throw new RescindError('filter-too-wide', {
          detail: `over ${MAX_GRANTS_BY_TEAM} grants to count by team: name a client, a resource or a user`,
        });
      return teamsOf(
        await snapshot.rows<TeamRow>(TEAM_USERS, [String(snapshot.index), ...carriedBy(pairs), agents, users]),
      );
    },
    async ofIssuer(iss) {
      if ((await snapshot.rows(ISSUER_USERS, [iss, String(snapshot.index)])).length === 0) return undefined;
      const columns = carriedBy(pairs);
      const ofPair = Math.ceil(MAX_GRANTS_WALKED / Math.max(1, columns[0]!.length));
      const found = await snapshot.rows<{ client: number; is_carried: boolean }>(ISSUER_CLIENTS, [
        String(snapshot.index),
        ...columns,
        iss,
        ofPair,
      ]);
      if (found.some((row) => !row.is_carried)) cut = true;
      return found.filter((row) => row.is_carried).map(({ client }) => client);
    },
    async ofClients(clients, rows) {
      const wanted = new Set(clients);
      const chosen = pairs.filter(({ client }) => wanted.has(client));
      if (held) {
        const keys = new Set(
          chosen.flatMap(({ rasClients, res }) => rasClients.map((client) => edgeKey({ client, res }))),
        );
        return widestReach(
          held.grants.filter((grant) => keys.has(edgeKey(grant))),
          shownAs,
          rows,
        );
      }
      const found = await snapshot.rows<HeldRow>(USERS, [
        String(snapshot.index),
        ...carriedBy(chosen),
        agents,
        rows,
        MAX_GRANTS_WALKED,
      ]);
      if (Number(found[0]?.walked ?? 0) >= MAX_GRANTS_WALKED) cut = true;
      return {
        grants: found.map((row) => ({ usr: row.usr, client: row.client, resources: Number(row.resources) })),
        users: Number(found[0]?.total ?? 0),
      };
    },
    async ofUsers(ids) {
      const rows = await snapshot.rows<GrantRow>(GRANTS_OF_USERS, [String(snapshot.index), ids]);
      return widestReach(rows, shownAs, ids.length).grants;
    },
  };
}

/** Rows without a client come first. */
function teamsOf(rows: readonly TeamRow[]): readonly TeamReach[] {
  const teams = new Map<string | null, { users: number; clients: TeamReach['clients'][number][] }>();
  for (const { team, client, users, resources } of rows) {
    if (client === null) teams.set(team, { users: Number(users), clients: [] });
    else teams.get(team)!.clients.push({ client, users: Number(users), resources: Number(resources) });
  }
  return [...teams].map(([team, reach]) => ({ team, ...reach }));
}

interface TeamRow {
  readonly [column: string]: unknown;
  readonly team: string | null;
  readonly client: number | null;
  readonly users: string;
  readonly resources: string;
}

interface HeldRow {
  readonly [column: string]: unknown;
  readonly usr: number;
  readonly client: number;
  readonly resources: string;
  readonly total: string;
  readonly walked: string;
}

interface GrantRow {
  readonly [column: string]: unknown;
  readonly usr: number;
  readonly client: number;
  readonly res: number;
}
