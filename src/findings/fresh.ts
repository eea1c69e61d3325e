import type { Prepared } from '../projections/index.js';
import { loadSql } from '../platform/postgres/index.js';
import type { Evidence, Step } from './detection.js';

/** Parts of statements, by the name in braces that stands for each. */
const PARTS = Object.fromEntries(
  ['fresh', 'hop', 'late-hops'].map((name) => [name, loadSql(import.meta.url, `${name}.sql`).trimEnd()]),
);

/** Detections look back at uses of so many seconds, before the newest entry of the step. */
const LOOK_BACK_S = 86_400;

/**
 * Prepares the SQL of a detection. `{fresh}` stands for the uses that became known in the step: `$2` to `$3`; `{hop}` and `{late-hops}` for what is
 * known of second hops. `back`: the number of the parameter with
 * the time from which the statement reads other uses too.
 */
export const prepared = (kind: string, sql: string, back?: number): Prepared => ({
  name: `finding-${kind}`,
  text: sql.replace(/\{([a-z-]+)\}/g, (part, name: string) => PARTS[name] ?? part),
  uses: (values) => {
    const [from, to] = values as [string, string];
    const fresh = { since: BigInt(from), index: to };
    return back === undefined ? [fresh] : [fresh, { from: values[back - 2] as number, index: to }];
  },
});

/** Returns the time from which a detection looks at uses before the step, epoch seconds. */
export const lookBack = ({ nowMs }: Step): number => Math.floor(nowMs / 1_000) - LOOK_BACK_S;

/** Makes the search of a detection that one statement is enough for. */
export const bySql =
  (statement: Prepared, values: (step: Step) => readonly unknown[] = () => []) =>
  (step: Step): Promise<readonly Evidence[]> =>
    step.snapshot.rows<Evidence>(statement, [String(step.from), String(step.to), ...values(step)]);
