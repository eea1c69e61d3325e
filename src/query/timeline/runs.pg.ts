import { loadSql } from '../../platform/postgres/index.js';
import type { Snapshot, UsesRead } from '../../projections/index.js';
import type { FilterKind } from '../ask/entity-kinds.js';
import type { RunRow } from './lines.js';
import type { Subject } from './subject.pg.js';

/** Conditions that find the uses of an entity: each has its index, by time. */
const WHOSE: Readonly<Record<FilterKind, string>> = {
  user: 'a.usr = d.id',
  client: 'a.client = d.id',
  agent: 'a.agent = d.id AND coalesce(a.agent_ix, a.bound_ix) < $2',
  resource: 'a.res = d.id',
};
const COLUMNS = { user: 'usr', client: 'client', agent: 'agent', resource: 'res' } as const;
const forEach = (file: string) => {
  const sql = loadSql(import.meta.url, file);
  const of = (kind: FilterKind): string => sql.replace('{whose}', WHOSE[kind]);
  return { user: of('user'), client: of('client'), agent: of('agent'), resource: of('resource') };
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
  let end = top;
  for (let units = 1; runs.length < rows; units *= 2) {
    const used: UsesRead = { index, attributed: true, [COLUMNS[subject.kind]]: subject.ids };
    const column = COLUMNS[subject.kind];
    const last: UsesRead = { ...used, from, to: end, most: { rows: 1, order: 'newest', of: column } };
    const [newest] = await snapshot.rows<{ at: number | null }>({ text: NEWEST[subject.kind], uses: () => [last] }, [
      index,
      subject.ids,
      from,
      end,
    ]);
    if (newest!.at === null) break;
    const begin = Math.max(from, (Math.floor(newest!.at / unit) - units + 1) * unit);
    const read: UsesRead = { ...used, from: begin, to: end };
    const folded = await snapshot.rows<RunRow & Record<string, unknown>>(
      { text: RUNS[subject.kind], uses: () => [read] },
      [index, subject.ids, begin, end, unit, cuts],
    );
    runs.push(...folded.filter(({ at }) => at * 1_000 <= newestMs));
    end = begin;
  }
  return runs;
}
