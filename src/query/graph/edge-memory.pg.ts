import { LRUCache } from 'lru-cache';
import { RescindError } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import type { Snapshot } from '../ask/snapshot.pg.js';
import { learnEdges, noEdges, type KnownEdges, type NewsRow } from './known-edges.js';
import { boundGrants } from './known-grants.js';

const NEWS = { name: 'edge-news', text: loadSql(import.meta.url, 'edge-news.sql') };
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

/**
 * Reads the edges of the snapshot's tenant, up to its head at least; the caller leaves out whatever lies at or above
 * its index. Rejects with `filter-too-wide` if the filter leaves over {@link MAX_PAIRS}.
 */
export type EdgesOf = (snapshot: Snapshot, filter: EdgeFilter) => Promise<KnownEdges>;

/** Reads all edges of the snapshot's tenant, with their new grants; undefined if there are too many to remember. */
export type AllEdges = (snapshot: Snapshot) => Promise<KnownEdges | undefined>;

/**
 * Remembers the edges of each tenant and reads only those with higher indexes. The rows are never changed once written,
 * so only another generation of tables makes the memory void.
 */
export function createEdgeMemory(): { readonly edgesOf: EdgesOf; readonly allEdges: AllEdges } {
  const remembered = new LRUCache<string, KnownEdges>({
    maxSize: MAX_REMEMBERED,
    sizeCalculation: ({ edges }) => 1 + edges.size,
  });
  const allEdges: AllEdges = async (snapshot) => {
    const name = `${snapshot.tenant} ${snapshot.tables}`;
    const there = remembered.get(name);
    if (there === undefined && (await areMany(snapshot))) return undefined;
    const known = there ?? noEdges();
    const before = known.edges.size;
    await follow(known, snapshot);
    if (known.edges.size > MAX_PAIRS) {
      remembered.delete(name);
      return undefined;
    }
    if (known.edges.size > before) remembered.set(name, known);
    return known;
  };
  return { allEdges, edgesOf: async (snapshot, filter) => (await allEdges(snapshot)) ?? readSome(snapshot, filter) };
}

async function follow(known: KnownEdges, { rows, index }: Snapshot): Promise<void> {
  const upTo = Number(index);
  if (known.upTo >= upTo) return;
  learnEdges(known, await rows<NewsRow>(NEWS, [String(known.upTo), String(index), null, null]), upTo);
  boundGrants(known);
}

async function areMany({ rows, index }: Snapshot): Promise<boolean> {
  const [row] = await rows<{ edges: string }>(COUNT, [String(index), MAX_PAIRS + 1]);
  return Number(row!.edges) > MAX_PAIRS;
}

/** Reads the edges that the filter leaves, for one answer, when there are too many to remember. */
async function readSome({ rows, index }: Snapshot, { clients, resources }: EdgeFilter): Promise<KnownEdges> {
  const some = noEdges();
  if (clients || resources)
    learnEdges(some, await rows<NewsRow>(NEWS.text, ['0', String(index), clients, resources]), Number(index));
  if (some.edges.size <= MAX_PAIRS && (clients || resources)) return some;
  throw new RescindError('filter-too-wide', {
    detail: `over ${MAX_PAIRS} pairs of client and resource: name a client or a resource`,
  });
}
