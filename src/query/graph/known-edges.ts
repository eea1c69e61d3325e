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
  readonly granted: Fact<string>[];
  readonly used: Fact<string>[];
  /** Agents of grants and of uses; an agent may be listed twice. */
  readonly acting: Fact<number>[];
  /** Versions by id of the connection. */
  readonly connections: Map<string, ConnectionVersion[]>;
  readonly grants: EdgeGrants;
  /** Index of the latest of these facts; grants are not among them. */
  lastIx: number;
  /** Agents and details that follow from all facts: valid as of any index above `lastIx`. */
  whole?: { readonly agents: readonly number[]; readonly details: PairDetails } | undefined;
}

/**
 * The number of users who held a grant at `KnownEdges.grantsFrom`, if it has been read, and the indexes at which
 * another user gained one since, ascending.
 */
export interface EdgeGrants {
  before: number | undefined;
  since: number[];
}

/** A row of `edge-news.sql`. */
export interface NewsRow {
  readonly [column: string]: unknown;
  readonly what: 0 | 1 | 2 | 3 | 4 | 5 | 6;
  readonly client: number;
  /** Null if the row is about a client alone. */
  readonly res: number | null;
  readonly ix: string;
  readonly id: number | null;
  readonly words: string | null;
  readonly state: number | null;
  readonly connection: Buffer | null;
  readonly idp: number | null;
  readonly arrival: string | null;
}

/**
 * The edges of a tenant up to an index, which grows. Facts never change once written, so the state as of an index
 * follows from the facts below it. Indexes are numbers here: 2^53 entries are out of reach.
 */
export interface KnownEdges {
  /** All facts below this index are here. */
  upTo: number;
  /** All new grants from this index on are here. */
  grantsFrom: number;
  /** There were too many grants from this index on to remember them. */
  grantsTooMany: number;
  readonly edges: Map<string, KnownEdge>;
  /** A client's names at its IdP, in the order in which events tied them. */
  readonly ties: Map<number, Fact<number>[]>;
}

export const noEdges = (): KnownEdges => ({
  upTo: 0,
  grantsFrom: 0,
  grantsTooMany: -1,
  edges: new Map(),
  ties: new Map(),
});

export const edgeKey = ({ client, res }: { readonly client: number; readonly res: number }): string =>
  `${client} ${res}`;

/** Adds the news up to an index and ignores whatever is already known: two questions may bring the same news. */
export function learnEdges(known: KnownEdges, rows: readonly NewsRow[], upTo: number): void {
  if (upTo <= known.upTo) return;
  for (const row of rows) {
    const ix = Number(row.ix);
    if (row.what === 5) learnTie(known, row.client, { what: row.idp!, ix });
    else if (ix >= known.upTo) learn(known, row, ix);
  }
  // The first read of a tenant brings no grants, since most are never asked for.
  if (known.upTo === 0) known.grantsFrom = upTo;
  known.upTo = upTo;
}

function learn({ edges }: KnownEdges, row: NewsRow, ix: number): void {
  const key = edgeKey({ client: row.client, res: row.res! });
  if (row.what === 0) {
    edges.set(key, newEdge(row, key, ix));
    return;
  }
  const edge = edges.get(key);
  if (edge === undefined) return; // Never seen together: such a pair is not shown.
  if (row.what === 6) {
    edge.grants.since.push(ix);
    return;
  }
  edge.lastIx = ix;
  edge.whole = undefined;
  if (row.what === 1) edge.granted.push({ what: row.words!, ix });
  else if (row.what === 2) edge.used.push({ what: row.words!, ix });
  else if (row.what === 3) edge.acting.push({ what: row.id!, ix });
  else learnConnection(edge, row, ix);
}

const newEdge = ({ client, res, arrival }: NewsRow, key: string, firstIx: number): KnownEdge => ({
  key,
  client,
  res: res!,
  firstIx,
  firstAt: Math.floor(Number(arrival) / 1000),
  granted: [],
  used: [],
  acting: [],
  connections: new Map(),
  grants: { before: undefined, since: [] },
  lastIx: firstIx,
});

function learnConnection(edge: KnownEdge, row: NewsRow, ix: number): void {
  const id = row.connection!.toString('base64url');
  const versions = edge.connections.get(id) ?? [];
  edge.connections.set(id, versions);
  versions.push({
    ix,
    state: row.state as ConnectionVersion['state'],
    agent: row.id,
    idpClient: row.idp!,
    scopes: row.words === '' ? [] : row.words!.split(' '),
  });
}

function learnTie({ ties }: KnownEdges, client: number, tie: Fact<number>): void {
  const there = ties.get(client) ?? [];
  ties.set(client, there);
  if (!there.some(({ what }) => what === tie.what)) there.push(tie);
}

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
export const agentsAt = (edge: KnownEdge, index: number): readonly number[] =>
  index > edge.lastIx ? wholeOf(edge).agents : findAgents(edge, index);

export const detailsAt = (edge: KnownEdge, index: number): PairDetails =>
  index > edge.lastIx ? wholeOf(edge).details : findDetails(edge, index);

const wholeOf = (edge: KnownEdge): NonNullable<KnownEdge['whole']> =>
  (edge.whole ??= { agents: findAgents(edge, Infinity), details: findDetails(edge, Infinity) });

function findAgents(edge: KnownEdge, index: number): readonly number[] {
  const acting = edge.acting.filter(({ ix }) => ix < index).map(({ what }) => what);
  return [...new Set([...acting.sort(asText), ...connectedAgents(edge, index)])];
}

export const connectedAgents = (edge: KnownEdge, index: number): readonly number[] =>
  standing(edge, index)
    .flatMap(({ agent }) => agent ?? [])
    .sort(asText);

const asText = (one: number, other: number): number => (String(one) < String(other) ? -1 : 1);

const STATES = ['deleted', 'created', 'observed'] as const;

function findDetails(edge: KnownEdge, index: number): PairDetails {
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
