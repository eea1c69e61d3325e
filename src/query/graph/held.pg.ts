import { loadSql } from '../../platform/index.js';
import type { Snapshot } from '../snapshot.pg.js';
import type { HeldGrant } from './canvas.js';
import type { Grants } from './neighbourhood.js';
import type { ShownPair } from './pairs.js';
import { readShownAs, type PairFilter } from './pairs.pg.js';

const USERS = loadSql(import.meta.url, 'users.sql');
const GRANTS_OF_USERS = loadSql(import.meta.url, 'grants-of-users.sql');

/** Grants that one answer walks one by one to find the users with the widest reach; beyond it their number is the least there is. */
export const MAX_GRANTS_WALKED = 20_000;

/** Who holds what of the pairs of an answer. `cut`: some walk came to its end before the grants did. */
export function createGrantReader(snapshot: Snapshot, pairs: readonly ShownPair[], { users, agents }: PairFilter): Grants & { readonly cut: () => boolean } {
  let cut = false;
  return {
    cut: () => cut,
    async ofClients(clients, rows) {
      const wanted = new Set(clients);
      const carried = pairs.filter(({ client }) => wanted.has(client)).flatMap((pair) => pair.rasClients.map((client) => [client, pair.res, pair.client] as const));
      const columns = [0, 1, 2].map((column) => carried.map((pair) => pair[column]!));
      const found = await snapshot.rows<HeldRow>(USERS, [String(snapshot.index), ...columns, users, agents, rows, MAX_GRANTS_WALKED]);
      if (Number(found[0]?.walked ?? 0) >= MAX_GRANTS_WALKED) cut = true;
      return {
        grants: found.map((row) => ({ usr: row.usr, client: row.client, resources: Number(row.resources) })),
        users: Number(found[0]?.total ?? 0),
      };
    },
    async ofUsers(ids) {
      const rows = await snapshot.rows<GrantRow>(GRANTS_OF_USERS, [String(snapshot.index), ids]);
      const shownAs = await readShownAs(snapshot, rows.map(({ client }) => client));
      const reach = new Map<string, { usr: number; client: number; resources: Set<number> }>();
      for (const { usr, client: ras, resources } of rows) {
        const client = shownAs.get(ras) ?? ras;
        const key = `${usr} ${client}`;
        if (!reach.has(key)) reach.set(key, { usr, client, resources: new Set() });
        for (const res of resources) reach.get(key)!.resources.add(res);
      }
      return [...reach.values()].map(({ usr, client, resources }): HeldGrant => ({ usr, client, resources: resources.size }));
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
  readonly resources: readonly number[];
}
