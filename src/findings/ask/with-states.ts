import { loadSql } from '../../platform/postgres/index.js';

const MUTED = loadSql(import.meta.url, 'muted.sql');
const STATE = loadSql(import.meta.url, 'state.sql');

/**
 * Prepares SQL that reads findings with their states: `{muted}` stands for the WITH clause before it, `{state}` for joins that give each finding `f` its state
 * `s`. `at`: the parameter with the moment, epoch seconds.
 */
export const withStates = (sql: string, at: string): string =>
  sql
    .replace('{muted}', () => `WITH ${MUTED.trimEnd()}`)
    .replace('{state}', () => STATE.replaceAll('{at}', `${at}::bigint`).trimEnd());
