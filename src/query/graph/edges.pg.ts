import { RescindError } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import { createFollowed, type Follow } from '../ask/followed.js';
import type { Snapshot } from '../../projections/index.js';
import { learnEdges, NO_EDGES, type KnownEdge, type KnownEdges, type NewsRow } from './known-edges.js';

const NEWS = { name: 'edge-news', text: loadSql(import.meta.url, 'edge-news.sql') };
const GRANTS = { name: 'edge-grants', text: loadSql(import.meta.url, 'edge-grants.sql') };
const COUNT = 'SELECT count(*) AS edges FROM (SELECT FROM edge_seen WHERE tenant = $1 AND first_ix < $2 LIMIT $3) e';

/**
 * Pairs of client and resource that one answer is made from. If there were more, the answer could not count what it
 * leaves out.
 */
export const MAX_PAIRS = 20_000;
/** Pairs that a process remembers, over all tenants: about 1 kB each. */
const MAX_REMEMBERED = 60_000;

export interface EdgeFilter {
  readonly clients?: readonly number[] | undefined;
  readonly resources?: readonly number[] | undefined;
}

/** Follows all edges of a tenant. Undefined if there are over {@link MAX_PAIRS}. */
export const createFollowEdges = (): Follow<KnownEdges> =>
  createFollowed({
    none: NO_EDGES,
    sizeOf: ({ edges }) => edges.size,
    maxSize: MAX_REMEMBERED,
    async learn(known, snapshot, from, index) {
      if (from === 0 && (await areMany(snapshot, index))) return undefined;
      const news = await snapshot.rows<NewsRow>(NEWS, [String(from), String(index), null, null]);
      const all = learnEdges(known, news);
      return all.edges.size > MAX_PAIRS ? undefined : all;
    },
  });

/**
 * Reads the edges that the filter leaves, and perhaps others; the caller leaves out whatever lies at or above the
 * snapshot's index. Rejects with `filter-too-wide` if the filter leaves over {@link MAX_PAIRS}.
 */
export const readEdges = async (
  follow: Follow<KnownEdges>,
  snapshot: Snapshot,
  filter: EdgeFilter,
): Promise<KnownEdges> => (await follow(snapshot))?.known ?? readSome(snapshot, filter);

async function areMany({ rows }: Snapshot, index: number): Promise<boolean> {
  const [row] = await rows<{ edges: string }>(COUNT, [index, MAX_PAIRS + 1]);
  return Number(row!.edges) > MAX_PAIRS;
}

/** Reads the edges that the filter leaves, for one answer, when there are too many to remember. */
async function readSome({ rows, index }: Snapshot, { clients, resources }: EdgeFilter): Promise<KnownEdges> {
  const some =
    clients || resources
      ? learnEdges(NO_EDGES, await rows<NewsRow>(NEWS.text, ['0', String(index), clients, resources]))
      : undefined;
  if (some && some.edges.size <= MAX_PAIRS) return some;
  throw new RescindError('filter-too-wide', {
    detail: `over ${MAX_PAIRS} pairs of client and resource: name a client or a resource`,
  });
}

/** Counts the users who hold a grant of each edge, as of the snapshot. Reads the counts that have grown since. */
export async function countGrants(snapshot: Snapshot, edges: readonly KnownEdge[]): Promise<readonly number[]> {
  const index = Number(snapshot.index);
  const grown = edges.filter(({ grants }) => grants.ix >= index);
  const counts = grown.length === 0 ? [] : await readGrants(snapshot, grown);
  const before = new Map(grown.map(({ key }, nth) => [key, counts[nth]!]));
  return edges.map(({ key, grants }) => before.get(key) ?? grants.what);
}

async function readGrants({ rows, index }: Snapshot, edges: readonly KnownEdge[]): Promise<readonly number[]> {
  const [row] = await rows<{ grants: string }>(GRANTS, [
    String(index),
    edges.map(({ client }) => client),
    edges.map(({ res }) => res),
  ]);
  return row!.grants.split(' ').map(Number);
}
