import { loadSql } from '../../platform/postgres/index.js';
import type { Snapshot } from '../ask/snapshot.pg.js';
import type { KnownEdge, KnownEdges } from './known-edges.js';
import { grantsAt, learnEarlierGrants, roomForGrants } from './known-grants.js';

const GRANTS = { name: 'edge-grants', text: loadSql(import.meta.url, 'edge-grants.sql') };
const EARLIER = { name: 'earlier-grants', text: loadSql(import.meta.url, 'earlier-grants.sql') };

/**
 * Counts the users who hold a grant of each edge, as of the snapshot. Adds new grants to a remembered count; reads the
 * counts anew if the snapshot is older than what is remembered.
 */
export async function readGrants(
  snapshot: Snapshot,
  known: KnownEdges,
  edges: readonly KnownEdge[],
): Promise<readonly number[]> {
  const index = Number(snapshot.index);
  const from = known.grantsFrom;
  if (index < from) return countGrants(snapshot, index, edges);
  const uncounted = edges.filter(({ grants }) => grants.before === undefined);
  const counts = await countGrants(snapshot, from, uncounted);
  // Another question may have changed the start of what is remembered during the read.
  if (known.grantsFrom !== from) return readGrants(snapshot, known, edges);
  for (const [nth, { grants }] of uncounted.entries()) grants.before = counts[nth]!;
  return edges.map((edge) => grantsAt(edge, index));
}

async function countGrants({ rows }: Snapshot, index: number, edges: readonly KnownEdge[]): Promise<readonly number[]> {
  if (edges.length === 0) return [];
  const [row] = await rows<{ grants: string }>(GRANTS, [
    String(index),
    edges.map(({ client }) => client),
    edges.map(({ res }) => res),
  ]);
  return row!.grants.split(' ').map(Number);
}

/**
 * Makes sure that all grants from index `since` on are remembered. Returns false if they are too many, or if the
 * snapshot is older than the remembered ones.
 */
export async function rememberGrants(snapshot: Snapshot, known: KnownEdges, since: number): Promise<boolean> {
  const from = known.grantsFrom;
  if (from <= since) return true;
  // The snapshot may lack grants that lie at or above its index.
  if (Number(snapshot.index) < from || since <= known.grantsTooMany) return false;
  const room = Math.max(0, roomForGrants(known));
  const [row] = await snapshot.rows<{ grants: string | null }>(EARLIER, [String(since), String(from), room + 1]);
  if (known.grantsFrom !== from) return rememberGrants(snapshot, known, since);
  const words = row!.grants === null ? [] : row!.grants.split(' ').map(Number);
  if (words.length > 3 * room) {
    known.grantsTooMany = Math.max(known.grantsTooMany, since);
    return false;
  }
  const rows = Array.from({ length: words.length / 3 }, (_, nth) => ({
    client: words[3 * nth]!,
    res: words[3 * nth + 1]!,
    ix: words[3 * nth + 2]!,
  }));
  learnEarlierGrants(known, rows, since);
  return true;
}
