import { loadSql } from '../../platform/postgres/index.js';

const MATCHES = loadSql(import.meta.url, 'matches.sql');

/**
 * Conditions that can drive a walk, in order of preference: a filter that usually leaves more rows comes later. Each
 * names its index.
 */
const DRIVERS = {
  token: 'a.tok = $7', // access_tok
  user: 'a.usr = d.id', // access_usr
  agent: 'a.agent = d.id', // access_agent
  client: 'a.client = d.id', // access_client
  resource: 'a.res = d.id', // access_res
  rare: 'a.res = d.id AND a.op = $8 AND a.op >= 3', // access_res_op
  time: 'true', // access_at
} as const;
export type Driver = keyof typeof DRIVERS;

/** Builds the statement of an SQL file of this folder that walks the ledger. */
export const walkingStatement = (file: string): string =>
  loadSql(import.meta.url, file).replace('{matches}', () => MATCHES);

/** Builds one statement a driver from an SQL file of this folder. */
export function drivenStatements(
  file: string,
  fill: Readonly<Record<string, string>> = {},
): Readonly<Record<Driver, string>> {
  const sql = Object.entries(fill).reduce(
    (text, [name, words]) => text.replace(`{${name}}`, () => words),
    loadSql(import.meta.url, file),
  );
  const matching = sql.replace('{matches}', () => MATCHES);
  return Object.fromEntries(
    Object.entries(DRIVERS).map(([driver, condition]) => [driver, matching.replace('{driven}', () => condition)]),
  ) as Record<Driver, string>;
}
