import { loadSql } from '../../platform/postgres/index.js';
import type { Snapshot } from '../../projections/index.js';
import { edgeKey } from './known-edges.js';
import type { Grants } from './neighbourhood.js';
import type { ShownPair } from './pairs.js';
import type { ReadPairs } from './pairs.pg.js';
import { widestReach } from './users-grants.pg.js';

/** Text without a name, so that it is planned for its values: few pairs need another plan than many. */
const USERS = loadSql(import.meta.url, 'users.sql');
const ISSUER_CLIENTS = loadSql(import.meta.url, 'issuer-clients.sql');
const ISSUER_USERS = 'SELECT 1 FROM issuer_user WHERE tenant = $1 AND iss = $2 AND from_ix < $3 LIMIT 1';
const GRANTS_OF_USERS = loadSql(import.meta.url, 'grants-of-users.sql');

/**
 * Grants that one answer walks to find the users with the widest reach. If there are more, the number of users is a
 * lower bound.
 */
export const MAX_GRANTS_WALKED = 20_000;

export interface GrantReader extends Grants {
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
  agents: readonly number[] | undefined,
): GrantReader {
  let cut = false;
  const carriedBy = (wanted: readonly ShownPair[]): number[][] => {
    const carried = wanted.flatMap((pair) => pair.rasClients.map((client) => [client, pair.res, pair.client] as const));
    return [0, 1, 2].map((column) => carried.map((pair) => pair[column]!));
  };
  return {
    cut: () => cut,
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
