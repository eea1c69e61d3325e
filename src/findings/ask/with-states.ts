import { loadSql } from '../../platform/postgres/index.js';

const MUTED = loadSql(import.meta.url, 'muted.sql');
const STATE = loadSql(import.meta.url, 'state.sql');
const PAST = loadSql(import.meta.url, 'past.sql').trimEnd();

/** The moment at which findings are read. */
interface Moment {
  /** The parameter with the moment, epoch seconds. */
  readonly at: string;
  /** The parameter with the index of the ledger, if the moment is past. */
  readonly index?: string;
  /** A condition on the findings `g` whose past is read. */
  readonly only?: string;
}

/**
 * Prepares SQL that reads findings with their states: `{muted}` stands for the WITH clause before it, `{finding}` for the findings, `{state}` for joins that give
 * each finding `f` its state `s`.
 */
export function withStates(sql: string, { at, index, only }: Moment): string {
  const known = index === undefined ? '' : ` AND c.entry < ${index}::bigint`;
  const past = PAST.replace('{only}', () => (only === undefined ? '' : ` AND ${only}`));
  return sql
    .replace('{muted}', () => `WITH ${MUTED.trimEnd()}`)
    .replace('{finding}', () =>
      index === undefined
        ? 'finding'
        : past.replaceAll('{index}', `${index}::bigint`).replaceAll('{at}', `${at}::bigint`),
    )
    .replace('{state}', () => STATE.replaceAll('{at}', `${at}::bigint`).trimEnd())
    .replaceAll('{known}', known);
}
