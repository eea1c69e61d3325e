import { join } from 'node:path';
import { pathOf, readManifest, SEGMENT_ENTRIES, tenantDirectory, type ArchivedFile } from '../archive/index.js';
import type { Snapshot } from '../projections/index.js';
import type { Window } from './question/read-question.js';

/** The part of the archive that a question reads. */
export interface Archived {
  /** Entries below this index are archived. */
  readonly end: bigint;
  /** Segments with uses in the question's windows, in the order of the ledger, and files with facts that came to them later. */
  readonly uses: readonly ArchivedFile[];
  readonly late: readonly ArchivedFile[];
  readonly path: (file: ArchivedFile) => string;
}

/** Reads which segments have uses below the snapshot's index within the windows, and which facts may have come to them later. */
export async function readArchived(snapshot: Snapshot, root: string, windows: readonly Window[]): Promise<Archived> {
  const { end, files } = await readManifest(snapshot.rows);
  const directory = tenantDirectory(root, snapshot.tenant);
  const below = files.filter(({ first, rows }) => first < snapshot.index && rows > 0);
  const uses = below.filter(({ name, firstAt, lastAt }) => {
    const meets = ({ from, to }: Window): boolean =>
      firstAt !== null && firstAt < to && lastAt !== null && lastAt >= from;
    return name === 'uses' && windows.some(meets);
  });
  // A fact of a use stands in the file of its own range or of a later one.
  const earliest = uses[0]?.first;
  const late = earliest === undefined ? [] : below.filter(({ name, first }) => name === 'late' && first >= earliest);
  return { end, uses, late, path: (file) => join(directory, pathOf(file)) };
}

/** Cuts the indexes below `index` into ranges that meet the segments or the tail, in the order of the ledger. */
export function* rangesOf(
  { end, uses }: Archived,
  index: bigint,
): Generator<{ readonly first: bigint; readonly end: bigint }> {
  const segments = new Set(uses.map(({ first }) => first / SEGMENT_ENTRIES));
  for (const segment of segments) yield within(segment, index < end ? index : end);
  for (let first = end; first < index; first = (first / SEGMENT_ENTRIES + 1n) * SEGMENT_ENTRIES)
    yield { ...within(first / SEGMENT_ENTRIES, index), first };
}

function within(segment: bigint, most: bigint): { readonly first: bigint; readonly end: bigint } {
  const end = (segment + 1n) * SEGMENT_ENTRIES;
  return { first: segment * SEGMENT_ENTRIES, end: end < most ? end : most };
}
