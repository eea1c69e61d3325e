import { loadSql } from '../../platform/index.js';
import type { Snapshot } from '../snapshot.pg.js';
import { edgeKey } from './known-edges.js';
import type { Grants } from './neighbourhood.js';
import type { ShownPair } from './pairs.js';
import type { ReadPairs } from './pairs.pg.js';
import { widestReach } from './users-grants.pg.js';

/** Planned for the pairs it is asked about: of few and of many the plan is another. */
const USERS = loadSql(import.meta.url, 'users.sql');
const GRANTS_OF_USERS = loadSql(import.meta.url, 'grants-of-users.sql');

/** Grants that one answer walks one by one to find the users with the widest reach; beyond it their number is the least there is. */
export const MAX_GRANTS_WALKED = 20_000;

/** Who holds what of the pairs of an answer. `cut`: some walk came to its end before the grants did. */
export function createGrantReader(
  snapshot: Snapshot,
  pairs: readonly ShownPair[],
  { held, shownAs }: ReadPairs,
  agents: readonly number[] | undefined,
): Grants & { readonly cut: () => boolean } {
  let cut = false;
  return {
    cut: () => cut,
    async ofClients(clients, rows) {
      const wanted = new Set(clients);
      const carried = pairs.filter(({ client }) => wanted.has(client)).flatMap((pair) => pair.rasClients.map((client) => [client, pair.res, pair.client] as const));
      if (held) {
        const keys = new Set(carried.map(([client, res]) => edgeKey({ client, res })));
        return widestReach(held.grants.filter((grant) => keys.has(edgeKey(grant))), shownAs, rows);
      }
      const columns = [0, 1, 2].map((column) => carried.map((pair) => pair[column]!));
      const found = await snapshot.rows<HeldRow>(USERS, [String(snapshot.index), ...columns, agents, rows, MAX_GRANTS_WALKED]);
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
