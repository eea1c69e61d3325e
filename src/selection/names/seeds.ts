/** Ids and keys by which indexes find every token that may be reached, and perhaps others. */
export interface Seeds {
  readonly users: readonly number[];
  readonly clients: readonly number[];
  readonly agents: readonly number[];
  readonly tokens: readonly Buffer[];
  readonly idJags: readonly Buffer[];
}

export const NO_SEEDS: Seeds = { users: [], clients: [], agents: [], tokens: [], idJags: [] };

/** Joins seeds: whatever any of them finds is found. */
export function joinSeeds(seeds: readonly Seeds[]): Seeds {
  const all = <T>(of: (one: Seeds) => readonly T[]): readonly T[] => [...new Set(seeds.flatMap(of))];
  return {
    users: all(({ users }) => users),
    clients: all(({ clients }) => clients),
    agents: all(({ agents }) => agents),
    tokens: all(({ tokens }) => tokens),
    idJags: all(({ idJags }) => idJags),
  };
}
