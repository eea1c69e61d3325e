import type { Numbered } from './scope.js';

export type Outcome =
  | { readonly kind: 'killed'; readonly by: string }
  /** The specs did not end, or ended their process: found as well. */
  | { readonly kind: 'timeout' | 'crash' }
  | { readonly kind: 'survived' }
  /** No unit spec runs the line. */
  | { readonly kind: 'unreached' };

export interface Tried {
  readonly mutant: Numbered;
  readonly outcome: Outcome;
}

/** A mutant that may survive, found again by its text. */
export interface Survivor {
  readonly file: string;
  /** The line, without indentation. */
  readonly code: string;
  readonly original: string;
  readonly replacement: string;
  /** `equivalent`: no test can tell it, so the score leaves it out. `accepted`: one could, and none is wanted; it counts as a survivor. */
  readonly as: 'equivalent' | 'accepted';
  readonly reason: string;
}

export interface Row {
  readonly folder: string;
  readonly killed: number;
  readonly survived: number;
  readonly unreached: number;
  readonly equivalent: number;
  /** Percent of those that are not equivalent. */
  readonly score: number;
  /** The same, of lines that a unit spec runs: the others are for the services specs, or for nobody. */
  readonly reachedScore: number;
}

const lives = ({ kind }: Outcome): boolean => kind === 'survived' || kind === 'unreached';
const isSame = (entry: Survivor, mutant: Numbered): boolean =>
  entry.file === mutant.file &&
  entry.code === mutant.code &&
  entry.original === mutant.original &&
  entry.replacement === mutant.replacement;

/** Counts by folder; the last row is the whole. */
export function rowsOf(tried: readonly Tried[], accepted: readonly Survivor[]): Row[] {
  const folders = [...new Set(tried.map(({ mutant }) => mutant.folder))];
  const rowOf = (folder: string, those: readonly Tried[]): Row => {
    const isEquivalent = ({ mutant, outcome }: Tried): boolean =>
      lives(outcome) && accepted.some((entry) => entry.as === 'equivalent' && isSame(entry, mutant));
    const equivalent = those.filter(isEquivalent).length;
    const count = (kind: Outcome['kind']): number =>
      those.filter((one) => one.outcome.kind === kind && !isEquivalent(one)).length;
    const killed = count('killed') + count('timeout') + count('crash');
    const [survived, unreached] = [count('survived'), count('unreached')];
    const percentOf = (all: number): number => (100 * killed) / Math.max(1, all);
    return {
      folder,
      killed,
      survived,
      unreached,
      equivalent,
      score: percentOf(killed + survived + unreached),
      reachedScore: percentOf(killed + survived),
    };
  };
  return [
    ...folders.map((folder) =>
      rowOf(
        folder,
        tried.filter(({ mutant }) => mutant.folder === folder),
      ),
    ),
    rowOf('all', tried),
  ];
}

/** Entries whose mutant was found in this run, or is in none of the sources. */
export function staleEntries(
  accepted: readonly Survivor[],
  all: readonly Numbered[],
  tried: readonly Tried[],
): Survivor[] {
  const files = new Set(all.map(({ file }) => file));
  return accepted.filter((entry) => {
    if (!files.has(entry.file)) return false;
    const those = tried.filter(({ mutant }) => isSame(entry, mutant));
    return (
      !all.some((mutant) => isSame(entry, mutant)) || (those.length > 0 && !those.some(({ outcome }) => lives(outcome)))
    );
  });
}

/** Writes the report for people: the survivors, then the counts. */
export function describe(tried: readonly Tried[], accepted: readonly Survivor[], stale: readonly Survivor[]): string {
  const short = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 90);
  const survivors = tried
    .filter(({ outcome }) => lives(outcome))
    .map(({ mutant, outcome }) => {
      const entry = accepted.find((one) => isSame(one, mutant));
      const why = entry ? `${entry.as}: ${entry.reason}` : outcome.kind;
      return `${mutant.file}:${mutant.line} ${mutant.kind}: ${short(mutant.original)} → ${short(mutant.replacement)} (${why})`;
    });
  const counts = rowsOf(tried, accepted).map(
    ({ folder, killed, survived, unreached, equivalent, score, reachedScore }) =>
      `${folder.padEnd(14)} ${score.toFixed(1).padStart(5)} %, of reached lines ${reachedScore.toFixed(1).padStart(5)} %: killed ${killed}, survived ${survived}, unreached ${unreached}, equivalent ${equivalent}`,
  );
  const old = stale.map(
    ({ file, code }) => `survivors.json: the entry does not survive, or its line is gone; remove it: ${file}: ${code}`,
  );
  return [...survivors, '', ...counts, ...old].join('\n');
}

/** Writes, for people, the files in no score, with the mutants that only the services specs can find. */
export function describeServices(counts: ReadonlyMap<string, number>): string {
  const mutants = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [
    `needs services, in no score: ${mutants} mutants of ${counts.size} files`,
    ...[...counts].map(([file, count]) => `  ${file} ${count}`),
  ].join('\n');
}

/** Writes, for people, each file with mutants that no unit spec reaches, the most first. */
export function describeReach(mutants: readonly Numbered[], specsOf: ReadonlyMap<number, readonly string[]>): string {
  const rows = [...new Set(mutants.map(({ file }) => file))].map((file) => {
    const those = mutants.filter((mutant) => mutant.file === file);
    return { file, all: those.length, missed: those.filter(({ number }) => !specsOf.has(number)) };
  });
  const lines = rows
    .filter(({ missed }) => missed.length > 0)
    .toSorted((one, other) => other.missed.length - one.missed.length)
    .map(
      ({ file, all, missed }) =>
        `${file}: ${missed.length} of ${all} unreached, lines ${[...new Set(missed.map(({ line }) => line))].join(' ')}`,
    );
  const unreached = rows.reduce((sum, { missed }) => sum + missed.length, 0);
  return [...lines, `${unreached} of ${mutants.length} mutants unreached`].join('\n');
}
