import { join } from 'node:path';
import { pathOf, readManifest, tenantDirectory, type ArchivedFile } from '../archive/index.js';
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

interface IndexRange {
  readonly first: bigint;
  readonly end: bigint;
}

/** Indexes whose uses are read at once for a file: a quarter of a full segment, which the process takes in some 30 ms. */
const RANGE_ENTRIES = 16_384n;

/** Cuts the indexes below `index` into ranges that meet the segments or the tail, in the order of the ledger. */
export function* rangesOf({ end, uses }: Archived, index: bigint): Generator<IndexRange> {
  const archivedEnd = index < end ? index : end;
  let next = 0n;
  for (const file of uses) {
    const last = file.end < archivedEnd ? file.end : archivedEnd;
    for (let nth = maxOf(next, file.first / RANGE_ENTRIES); nth * RANGE_ENTRIES < last; nth += 1n) {
      yield within(nth, archivedEnd);
      next = nth + 1n;
    }
  }
  for (let first = end; first < index; first = (first / RANGE_ENTRIES + 1n) * RANGE_ENTRIES)
    yield { ...within(first / RANGE_ENTRIES, index), first };
}

const maxOf = (one: bigint, other: bigint): bigint => (one > other ? one : other);

function within(nth: bigint, most: bigint): IndexRange {
  const end = (nth + 1n) * RANGE_ENTRIES;
  return { first: nth * RANGE_ENTRIES, end: end < most ? end : most };
}
