import { loadSql } from '../../platform/postgres/index.js';
import type { Snapshot, UsesRead } from '../../projections/index.js';
import type { RunRow } from './lines.js';
import type { Subject, SubjectKind } from './subject.pg.js';

/** Conditions that find the uses of a subject: each has its index, by time. */
const WHOSE: Readonly<Record<SubjectKind, string>> = {
  user: 'a.usr = d.id',
  client: 'a.client = d.id',
  agent: 'a.agent = d.id AND coalesce(a.agent_ix, a.bound_ix) < $2',
  resource: 'a.res = d.id',
  token: 'a.tok = d.id',
};
const COLUMNS = { user: 'usr', client: 'client', agent: 'agent', resource: 'res' } as const;
const forEach = (file: string) => {
  const sql = loadSql(import.meta.url, file);
  // Uses of a token count before anybody says whose it is, as in counts.
  const of = (kind: SubjectKind): string =>
    sql
      .replace('{ids}', kind === 'token' ? 'bytea[]' : 'int[]')
      .replace('{known}', kind === 'token' ? 'a.ix < $2::bigint' : 'a.bound_ix < $2::bigint')
      .replace('{whose}', WHOSE[kind]);
  return Object.fromEntries((Object.keys(WHOSE) as SubjectKind[]).map((kind) => [kind, of(kind)])) as Record<
    SubjectKind,
    string
  >;
};
const NEWEST = forEach('newest-use.sql');
const RUNS = forEach('runs.sql');

export interface RunsWanted {
  readonly subject: Subject;
  /** The window, epoch seconds: from ≤ time < top. */
  readonly from: number;
  readonly top: number;
  /** Unit of time, seconds. */
  readonly unit: number;
  /** Seconds at which segments begin, ascending. */
  readonly cuts: readonly number[];
  /** Runs whose last use is later are on earlier pages, epoch milliseconds. */
  readonly newestMs: number;
  /** Runs that suffice. */
  readonly rows: number;
}

/** The uses of the subject, and the column by which its names differ. */
function usesOf(
  subject: Subject,
  index: string,
): { readonly read: UsesRead; readonly by: { of?: 'usr' | 'client' | 'agent' | 'res' } } {
  if (subject.kind === 'token') return { read: { index, tok: [subject.token] }, by: {} };
  const column = COLUMNS[subject.kind];
  return { read: { index, attributed: true, [column]: subject.ids }, by: { of: column } };
}

/**
 * Folds uses into runs, newest first, until there are enough: first those of the unit of time that has the newest use, then those of
 * twice as many units, and so on. Units without uses between two steps cost nothing. Bounds are values, not results of a statement: the
 * planner would take an index without the entity for bounds that it does not know.
 */
export async function readRuns(
  snapshot: Snapshot,
  { subject, from, top, unit, cuts, newestMs, rows }: RunsWanted,
): Promise<readonly RunRow[]> {
  const runs: RunRow[] = [];
  const index = String(snapshot.index);
  const ids = subject.kind === 'token' ? [subject.token] : subject.ids;
  const used = usesOf(subject, index);
  let end = top;
  for (let units = 1; runs.length < rows; units *= 2) {
    const last: UsesRead = { ...used.read, from, to: end, most: { rows: 1, order: 'newest', ...used.by } };
    const [newest] = await snapshot.rows<{ at: number | null }>({ text: NEWEST[subject.kind], uses: () => [last] }, [
      index,
      ids,
      from,
      end,
    ]);
    if (newest!.at === null) break;
    const begin = Math.max(from, (Math.floor(newest!.at / unit) - units + 1) * unit);
    const read: UsesRead = { ...used.read, from: begin, to: end };
    const folded = await snapshot.rows<RunRow & Record<string, unknown>>(
      { text: RUNS[subject.kind], uses: () => [read] },
      [index, ids, begin, end, unit, cuts],
    );
    runs.push(...folded.filter(({ at }) => at * 1_000 <= newestMs));
    end = begin;
  }
  return runs;
}
