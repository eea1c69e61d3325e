import type { Prepared } from '../projections/index.js';
import { loadSql } from '../platform/postgres/index.js';
import { taggedWith } from '../query/index.js';
import type { Evidence, Step } from './detection.js';

const part = (name: string): string => loadSql(import.meta.url, name).trimEnd();
/** Parts of statements, by the name in braces that stands for each. */
const PARTS: Readonly<Record<string, string>> = {
  fresh: part('fresh.sql'),
  late_hops: part('late-hops.sql'),
  sensitive: part('sensitive.sql').replace('{tagged}', () => taggedWith(`'{sensitive,not-sensitive}'::text[]`)),
};

const DAY_S = 86_400;

/**
 * Prepares the SQL of a detection. `{fresh}` stands for the uses that became known in the step: `$2` to `$3`; `{late_hops}` for earlier ones that
 * turned out to be second hops; `{sensitive}` for the resources that the directory tags. `back`: the number of the parameter with the time from which
 * the statement reads other uses too.
 */
export const prepared = (kind: string, sql: string, back?: number): Prepared => ({
  name: `finding-${kind}`,
  text: sql.replace(/\{([a-z_]+)\}/g, (text, name: string) => PARTS[name] ?? text),
  uses: (values) => {
    const [from, to] = values as [string, string];
    const fresh = { since: BigInt(from), index: to };
    return back === undefined ? [fresh] : [fresh, { from: values[back - 2] as number, index: to }];
  },
});

/**
 * Returns the time from which a detection looks at uses before the step, epoch seconds: the beginning of the day before. A step lies within one day of
 * arrival, so that the time is the same however that day is cut.
 */
export const lookBack = ({ nowMs }: Pick<Step, 'nowMs'>): number => (Math.floor(nowMs / 1_000 / DAY_S) - 1) * DAY_S;

/** Makes the search of a detection that one statement is enough for. */
export const bySql =
  (statement: Prepared, values: (step: Step) => readonly unknown[] = () => []) =>
  (step: Step): Promise<readonly Evidence[]> =>
    step.snapshot.rows<Evidence>(statement, [String(step.from), String(step.to), ...values(step)]);
