import { ENTITY_KINDS } from '../../projections/index.js';
import type { FilterKind } from '../ask/entity-kinds.js';
import type { Fact } from '../graph/known-edges.js';

/** A row of facts.sql. */
export type FactRow = {
  readonly [column: string]: unknown;
  readonly ix: number;
  readonly id: number;
} & (
  | { readonly what: 'entity'; readonly other: number }
  | { readonly what: 'tie'; readonly other: number }
  | { readonly what: 'grant'; readonly other: number; readonly res: number; readonly agent: number | null }
);

/** A grant as facts name it: a user's right to use a resource with a client. It stands from its first index on. */
export interface KnownGrant {
  readonly key: string;
  readonly usr: number;
  readonly client: number;
  readonly res: number;
  readonly ix: number;
  /** The agent of each version. */
  readonly agents: readonly Fact<number | null>[];
}

/** The names, ties and grants of a tenant. Facts never change once written: what holds as of an index follows from those below it. */
export interface KnownFacts {
  readonly entities: Readonly<Record<FilterKind, readonly Fact<number>[]>>;
  /** Names at the IdP of a user or client, in the order in which events tied them. */
  readonly ties: ReadonlyMap<number, readonly Fact<number>[]>;
  readonly grants: ReadonlyMap<string, KnownGrant>;
}

export const NO_FACTS: KnownFacts = {
  entities: { user: [], client: [], agent: [], resource: [] },
  ties: new Map(),
  grants: new Map(),
};

export const grantKey = (usr: number, client: number, res: number): string => `${usr} ${client} ${res}`;

const KIND_OF: ReadonlyMap<number, FilterKind> = new Map(
  (['user', 'client', 'agent', 'resource'] as const).map((kind) => [ENTITY_KINDS[kind], kind]),
);

/** Returns the facts with the news; `known` stays as it is. */
export function learnFacts(known: KnownFacts, rows: readonly FactRow[]): KnownFacts {
  if (rows.length === 0) return known;
  const of = (kind: FilterKind): Fact<number>[] => [...known.entities[kind]];
  const entities = { user: of('user'), client: of('client'), agent: of('agent'), resource: of('resource') };
  const ties = new Map(known.ties);
  const grants = new Map(known.grants);
  for (const row of rows) {
    const { ix, id, other } = row;
    switch (row.what) {
      case 'entity':
        entities[KIND_OF.get(other)!].push({ what: id, ix });
        break;
      case 'tie':
        ties.set(id, [...(ties.get(id) ?? []), { what: other, ix }]);
        break;
      case 'grant': {
        const key = grantKey(id, other, row.res);
        const before = grants.get(key) ?? { key, usr: id, client: other, res: row.res, ix, agents: [] };
        grants.set(key, { ...before, agents: [...before.agents, { what: row.agent, ix }] });
      }
    }
  }
  return { entities, ties, grants };
}
