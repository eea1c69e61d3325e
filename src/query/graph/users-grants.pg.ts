import { loadSql } from '../../platform/postgres/index.js';
import type { Snapshot } from '../../projections/index.js';
import type { HeldGrant } from './canvas.js';
import { edgeKey } from './known-edges.js';
import type { PairFilter } from './pairs.pg.js';

const PAIRS = { name: 'user-pairs', text: loadSql(import.meta.url, 'user-pairs.sql') };
const SCOPES = { name: 'user-scopes', text: loadSql(import.meta.url, 'user-scopes.sql') };

interface Named {
  readonly client: number;
  readonly res: number;
}

interface HeldPair {
  /** Those of the given users who hold a grant of the pair. */
  readonly users: number;
  readonly agents: readonly number[];
  readonly scopes: readonly string[];
}

interface GrantOfUser extends Named {
  readonly usr: number;
}

/** The grants and used scopes of some users. */
export interface HeldByUsers {
  readonly grants: readonly GrantOfUser[];
  readonly of: (pair: Named) => HeldPair | undefined;
  readonly used: (pair: Named) => readonly string[];
}

export async function readHeldByUsers(
  snapshot: Snapshot,
  { users, clients, agents, resources }: PairFilter,
): Promise<HeldByUsers> {
  const grants = await snapshot.rows<GrantRow>(PAIRS, [String(snapshot.index), users, clients, agents, resources]);
  const scopes = await snapshot.rows<ScopesRow>(SCOPES, [String(snapshot.index), users]);
  const byPair = new Map<string, GrantRow[]>();
  for (const row of grants) byPair.set(edgeKey(row), [...(byPair.get(edgeKey(row)) ?? []), row]);
  const used = new Map(scopes.map((row) => [edgeKey(row), row.used.split(' ').sort()]));
  return {
    grants,
    of: (pair) => heldOf(byPair.get(edgeKey(pair))),
    used: (pair) => used.get(edgeKey(pair)) ?? [],
  };
}

function heldOf(rows: readonly GrantRow[] | undefined): HeldPair | undefined {
  return (
    rows && {
      users: new Set(rows.map(({ usr }) => usr)).size,
      agents: [...new Set(rows.flatMap(({ agent }) => agent ?? []))].sort((one, other) => one - other),
      scopes: [...new Set(rows.flatMap(({ scopes }) => (scopes === '' ? [] : scopes.split(' '))))].sort(),
    }
  );
}

/**
 * Groups grants by user and client as shown. Returns those of the `users` users with the widest reach, widest first,
 * and the number of all users.
 */
export function widestReach(
  grants: readonly GrantOfUser[],
  shownAs: (client: number) => number,
  users: number,
): { readonly grants: readonly HeldGrant[]; readonly users: number } {
  const reach = new Map<number, Map<number, Set<number>>>();
  for (const { usr, client, res } of grants) {
    const shown = shownAs(client);
    const clients = reach.get(usr) ?? new Map<number, Set<number>>();
    reach.set(usr, clients.set(shown, (clients.get(shown) ?? new Set()).add(res)));
  }
  const held = [...reach].map(([usr, clients]) =>
    [...clients]
      .sort(([one], [other]) => one - other)
      .map(([client, resources]): HeldGrant => ({ usr, client, resources: resources.size })),
  );
  const width = (of: readonly HeldGrant[]): number => of.reduce((sum, { resources }) => sum + resources, 0);
  held.sort((one, other) => width(other) - width(one) || one[0]!.usr - other[0]!.usr);
  return { grants: held.slice(0, users).flat(), users: held.length };
}

interface GrantRow {
  readonly [column: string]: unknown;
  readonly usr: number;
  readonly client: number;
  readonly res: number;
  readonly agent: number | null;
  readonly scopes: string;
}

interface ScopesRow {
  readonly [column: string]: unknown;
  readonly client: number;
  readonly res: number;
  readonly used: string;
}
