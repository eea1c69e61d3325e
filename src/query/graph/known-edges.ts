import { joinStates, type PairDetails, type PairState } from './pairs.js';

/** A value that is written once, and the index of the entry that brought it. */
export interface Fact<T> {
  readonly what: T;
  readonly ix: number;
}

/** The state of a connection from one index up to its next version. */
export interface ConnectionVersion {
  readonly ix: number;
  readonly state: 0 | 1 | 2;
  readonly agent: number | null;
  readonly idpClient: number;
  /** Sorted. */
  readonly scopes: readonly string[];
}

/**
 * A client and a resource as facts name them, with everything that is recorded about the pair, in the order of indexes.
 */
export interface KnownEdge {
  readonly key: string;
  readonly client: number;
  readonly res: number;
  readonly firstIx: number;
  /** Arrival of that entry, epoch seconds. */
  readonly firstAt: number;
  readonly granted: readonly Fact<string>[];
  readonly used: readonly Fact<string>[];
  /** Agents of grants and of uses; an agent may be listed twice. */
  readonly acting: readonly Fact<number>[];
  /** Versions by id of the connection. */
  readonly connections: ReadonlyMap<string, readonly ConnectionVersion[]>;
  /** The number of users who hold a grant, and the last entry that brought one. */
  readonly grants: Fact<number>;
}

interface Row {
  readonly [column: string]: unknown;
  readonly client: number;
  readonly ix: string;
}

/** Rows about a client and a resource. */
type EdgeRow = Row & { readonly res: number } & (
    | { readonly what: 'seen'; readonly arrival: string }
    | { readonly what: 'scope-granted' | 'scope-used'; readonly words: string }
    | { readonly what: 'agent-acts'; readonly id: number }
    | { readonly what: 'grants'; readonly id: number }
    | { readonly what: 'grant' }
    | {
        readonly what: 'connection';
        readonly connection: Buffer;
        readonly state: ConnectionVersion['state'];
        readonly id: number | null;
        readonly idp: number;
        readonly words: string;
      }
  );

/** A row of `edge-news.sql`. */
export type NewsRow = EdgeRow | (Row & { readonly what: 'tie'; readonly idp: number });

/**
 * Edges of a tenant. Facts never change once written, so the state as of an index follows from the facts below it.
 * Indexes are numbers here: 2^53 entries are out of reach.
 */
export interface KnownEdges {
  readonly edges: ReadonlyMap<string, KnownEdge>;
  /** A client's names at its IdP, in the order in which events tied them. */
  readonly ties: ReadonlyMap<number, readonly Fact<number>[]>;
}

export const NO_EDGES: KnownEdges = { edges: new Map(), ties: new Map() };

export const edgeKey = ({ client, res }: { readonly client: number; readonly res: number }): string =>
  `${client} ${res}`;

/** Returns the edges with the news; `known` stays as it is. */
export function learnEdges(known: KnownEdges, rows: readonly NewsRow[]): KnownEdges {
  const edges = new Map(known.edges);
  const ties = new Map(known.ties);
  for (const row of rows) {
    if (row.what === 'tie') {
      const there = ties.get(row.client) ?? [];
      // A new pair of a client brings the client's ties again.
      if (!there.some(({ what }) => what === row.idp))
        ties.set(row.client, [...there, { what: row.idp, ix: Number(row.ix) }]);
      continue;
    }
    const key = edgeKey(row);
    const edge = learn(edges.get(key), row, key);
    if (edge) edges.set(key, edge);
  }
  return { edges, ties };
}

/** Undefined if the two were never seen together: such a pair is not shown. */
function learn(edge: KnownEdge | undefined, row: EdgeRow, key: string): KnownEdge | undefined {
  if (row.what === 'seen') return newEdge(row, key, row.arrival);
  if (edge === undefined) return undefined;
  const ix = Number(row.ix);
  switch (row.what) {
    case 'scope-granted':
      return { ...edge, granted: [...edge.granted, { what: row.words, ix }] };
    case 'scope-used':
      return { ...edge, used: [...edge.used, { what: row.words, ix }] };
    case 'agent-acts':
      return { ...edge, acting: [...edge.acting, { what: row.id, ix }] };
    case 'grants':
      return { ...edge, grants: { what: row.id, ix } };
    case 'grant':
      return { ...edge, grants: { what: edge.grants.what + 1, ix } };
    case 'connection': {
      const id = row.connection.toString('base64url');
      const version = {
        ix,
        state: row.state,
        agent: row.id,
        idpClient: row.idp,
        scopes: row.words === '' ? [] : row.words.split(' '),
      };
      return {
        ...edge,
        connections: new Map(edge.connections).set(id, [...(edge.connections.get(id) ?? []), version]),
      };
    }
  }
}

const newEdge = ({ client, res, ix }: EdgeRow, key: string, arrival: string): KnownEdge => ({
  key,
  client,
  res,
  firstIx: Number(ix),
  firstAt: Math.floor(Number(arrival) / 1000),
  granted: [],
  used: [],
  acting: [],
  connections: new Map(),
  grants: { what: 0, ix: -1 },
});

/** Returns the client under its IdP name, the first that an event tied to it; without one the client itself. */
export function shownAs(known: KnownEdges, client: number, index: number): number {
  const first = known.ties.get(client)?.[0];
  return first !== undefined && first.ix < index ? first.what : client;
}

/** Returns the version of a connection as of an index; undefined if it did not exist yet. */
export const versionAt = (versions: readonly ConnectionVersion[], index: number): ConnectionVersion | undefined =>
  versions.findLast(({ ix }) => ix < index);

const standing = (edge: KnownEdge, index: number): ConnectionVersion[] =>
  edge.connections.size === 0
    ? []
    : [...edge.connections.values()].flatMap((versions) => versionAt(versions, index) ?? []);

/** Lists the agents of an edge: those of grants and uses first, then those of connections. */
export function agentsAt(edge: KnownEdge, index: number): readonly number[] {
  const acting = edge.acting.filter(({ ix }) => ix < index).map(({ what }) => what);
  return [...new Set([...acting.sort(asText), ...connectedAgents(edge, index)])];
}

export const connectedAgents = (edge: KnownEdge, index: number): readonly number[] =>
  standing(edge, index)
    .flatMap(({ agent }) => agent ?? [])
    .sort(asText);

const asText = (one: number, other: number): number => (String(one) < String(other) ? -1 : 1);

const STATES = ['deleted', 'created', 'observed'] as const;

export function detailsAt(edge: KnownEdge, index: number): PairDetails {
  const connections = standing(edge, index);
  const words = (facts: readonly Fact<string>[]): string[] =>
    facts
      .filter(({ ix }) => ix < index)
      .map(({ what }) => what)
      .sort();
  return {
    state: connections.map(({ state }): PairState => STATES[state]).reduce(joinStates, 'unrecorded'),
    approved: [...new Set(connections.flatMap(({ state, scopes }) => (state === 0 ? [] : scopes)))].sort(),
    granted: words(edge.granted),
    used: words(edge.used),
  };
}
