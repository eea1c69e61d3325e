import type { FilterKind } from '../ask/entity-kinds.js';
import { type KnownFacts, type KnownGrant } from './facts.js';

/** The numbers of an entity by which a list is sorted. */
export interface Standing {
  readonly id: number;
  /** Index of the entry that first named it. */
  readonly firstIx: number;
  /** Standing grants. */
  readonly grants: number;
  /** Those of them that were never used. */
  readonly unused: number;
  /** End of its last allowed use, epoch seconds. */
  readonly last: number | null;
}

/** Numbers of others with which an entity stands together in grants. */
export interface Reached {
  readonly users: number;
  readonly clients: number;
  readonly agents: number;
  readonly resources: number;
}

/** The facts of a tenant as of an index, with names under which users and clients are shown. */
export interface Facts {
  readonly known: KnownFacts;
  readonly index: number;
}

/**
 * Returns the name under which a user or client is shown: the IdP's. A user's own name stays if events tie it to several names of the IdP: an
 * account that people share belongs to none of them. A client has its first one, as in the graph.
 */
export function shownName({ known, index }: Facts, kind: FilterKind, id: number): number {
  const all = known.ties.get(id);
  if (all === undefined) return id;
  const ties = all.filter(({ ix }) => ix < index);
  return ties.length === 0 || (kind === 'user' && ties.length > 1) ? id : ties[0]!.what;
}

type IdOf = (grant: KnownGrant) => number | null;

/** Returns how the entities of grants are found under the names that are shown. Each name is looked up once. */
function shownIn(facts: Facts): Readonly<Record<FilterKind, IdOf>> {
  const names = new Map<number, number>();
  const shown = (kind: FilterKind, id: number): number => {
    const known = names.get(id);
    if (known !== undefined) return known;
    const name = shownName(facts, kind, id);
    names.set(id, name);
    return name;
  };
  return {
    user: ({ usr }) => shown('user', usr),
    client: ({ client }) => shown('client', client),
    agent: ({ agents }) => agents.findLast(({ ix }) => ix < facts.index)?.what ?? null,
    resource: ({ res }) => res,
  };
}

/**
 * Adds up the standing grants of every entity of a kind, without those that are shown under another name. `used` has the keys of grants that were used, `lasts`
 * when each entity was last used.
 */
export function standingOf(
  facts: Facts,
  kind: FilterKind,
  { used, lasts }: { readonly used: ReadonlyMap<string, unknown>; readonly lasts: ReadonlyMap<number, number> },
): Standing[] {
  const { known, index } = facts;
  const sums = new Map<number, { grants: number; unused: number }>();
  const idOf = shownIn(facts)[kind];
  for (const grant of known.grants.values()) {
    const id = grant.ix < index ? idOf(grant) : null;
    if (id === null) continue;
    const sum = sums.get(id) ?? { grants: 0, unused: 0 };
    if (sum.grants === 0) sums.set(id, sum);
    sum.grants += 1;
    if (!used.has(grant.key)) sum.unused += 1;
  }
  return known.entities[kind].flatMap(({ what: id, ix }) =>
    ix >= index || shownName(facts, kind, id) !== id
      ? []
      : [{ id, firstIx: ix, ...(sums.get(id) ?? { grants: 0, unused: 0 }), last: lasts.get(id) ?? null }],
  );
}

/** Counts whom the standing grants of some entities name, each once. */
export function reachedBy(facts: Facts, kind: FilterKind, ids: ReadonlySet<number>): (id: number) => Reached {
  const idsOf = shownIn(facts);
  const kinds = ['user', 'client', 'agent', 'resource'] as const;
  const met = new Map([...ids].map((id) => [id, kinds.map(() => new Set<number>())]));
  for (const grant of facts.known.grants.values()) {
    const self = grant.ix < facts.index ? idsOf[kind](grant) : null;
    const sets = self === null ? undefined : met.get(self);
    if (sets === undefined) continue;
    for (const [nth, other] of kinds.entries()) {
      const id = idsOf[other](grant);
      if (id !== null) sets[nth]!.add(id);
    }
  }
  return (id) => {
    const [users, clients, agents, resources] = met.get(id)!.map(({ size }) => size) as [
      number,
      number,
      number,
      number,
    ];
    return { users, clients, agents, resources };
  };
}

export const SORTS = {
  grants: ({ grants }) => grants,
  unused_grants: ({ unused }) => unused,
  // Never used is longer ago than any use.
  last_used: ({ last }) => last ?? -1,
  first_seen: ({ firstIx }) => firstIx,
} as const satisfies Readonly<Record<string, (one: Standing) => number>>;
export type Sort = keyof typeof SORTS;

/** A place in a sorted list. */
export interface Place {
  readonly key: number;
  readonly id: number;
}

/** Sorts by a number, then by id, and returns up to `most` behind a place. */
export function sortStanding(
  all: readonly Standing[],
  { sort, ascending, after, most }: { sort: Sort; ascending: boolean; after: Place | undefined; most: number },
): Standing[] {
  const sign = ascending ? 1 : -1;
  const compare = (one: Place, other: Place): number => sign * (one.key - other.key) || one.id - other.id;
  const placeOf = (one: Standing): Place => ({ key: SORTS[sort](one), id: one.id });
  return all
    .filter((one) => after === undefined || compare(placeOf(one), after) > 0)
    .sort((one, other) => compare(placeOf(one), placeOf(other)))
    .slice(0, most);
}
