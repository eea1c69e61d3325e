import type { Prepared } from '../projections/index.js';
import { loadSql } from '../platform/postgres/index.js';
import type { Evidence, Step } from './detection.js';

const FRESH = loadSql(import.meta.url, 'fresh.sql');

/** Prepares the SQL of a detection. `{fresh}` stands for the uses that became known in the step: `$2` to `$3`. */
export const prepared = (kind: string, sql: string): Prepared => ({
  name: `finding-${kind}`,
  text: sql.replace('{fresh}', () => FRESH.trimEnd()),
});

/** Makes the search of a detection that one statement is enough for. */
export const bySql =
  (statement: Prepared, values: (step: Step) => readonly unknown[] = () => []) =>
  (step: Step): Promise<readonly Evidence[]> =>
    step.snapshot.rows<Evidence>(statement, [String(step.from), String(step.to), ...values(step)]);
