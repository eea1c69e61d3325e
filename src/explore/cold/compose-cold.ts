import { COLD_COLUMNS, type UsesRead } from '../../projections/index.js';
import { createBinder, type Bind, type Statement } from '../question/compose.js';

/** Lines of a text. */
const CHUNK = 1_000;

/** Facts that may stand in a later row of `late`. */
const LATE = ['bound_ix', 'usr', 'client', 'agent', 'agent_ix', 'res', 'res_bound', 'foreign_ix'] as const;

/** How columns of PostgreSQL are called in the archive. */
const STORED: Readonly<Record<string, string>> = { at: 'first_at', until_at: 'last_at' };
const storedAs = (column: string): string => STORED[column] ?? column;

/** Writes values as PostgreSQL reads them. */
const TEXT_OF: Readonly<Record<string, (column: string) => string>> = {
  tok: (column) => `'\\x' || lower(hex(${column}))`,
  scopes: (column) => `'{' || array_to_string(${column}, ',') || '}'`,
};
const textOf = (column: string): string => {
  const stored = `p.${storedAs(column)}`;
  return `coalesce(${TEXT_OF[column]?.(stored) ?? `${stored}::VARCHAR`}, '')`;
};

const ORDERS = {
  newest: 'u.first_at DESC, u.ix DESC',
  oldest: 'u.first_at, u.ix',
  ledger: 'u.ix',
} as const;

export interface ColdFiles {
  readonly uses: readonly string[];
  readonly late: readonly string[];
}

/** Writes the statement that reads uses as lines, a thousand a row, at most `most + 1` of them. */
export function composeCold(read: UsesRead, { uses, late }: ColdFiles, most: number): Statement {
  const { values, bind } = createBinder();
  const paths = (list: readonly string[]): string =>
    `read_parquet(${bind({ type: 'VARCHAR[]', value: list })}, hive_partitioning = false)`;
  const stored = COLD_COLUMNS.map(([name]) => storedAs(name));
  const isLate = (name: string): boolean => late.length > 0 && (LATE as readonly string[]).includes(name);
  const merged = stored.map((name) => (isLate(name) ? `coalesce(l.${name}, a.${name}) AS ${name}` : `a.${name}`));
  const joined =
    late.length === 0
      ? ''
      : ` LEFT JOIN (SELECT ix, ${LATE.map((name) => `max(${name}) AS ${name}`).join(', ')} FROM ${paths(late)} GROUP BY ix) l ON l.ix = a.ix`;
  const all = `SELECT ${merged.join(', ')} FROM ${paths(uses)} a${joined}`;
  const conditions = conditionsOf(read, bind);
  const picked = `SELECT u.* FROM (${all}) u${conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`}${limitOf(read, bind)}`;
  const line = COLD_COLUMNS.map(([name]) => textOf(name)).join(" || '|' || ");
  return {
    sql: `SELECT string_agg(c.line, chr(10)) AS lines, count(*) AS uses
      FROM (SELECT ${line} AS line, row_number() OVER () // ${CHUNK} AS chunk FROM (SELECT * FROM (${picked}) LIMIT ${big(BigInt(most + 1), bind)}) p) c
      GROUP BY c.chunk ORDER BY c.chunk`,
    values,
  };
}

const big = (value: bigint | number | string, bind: Bind): string => bind({ type: 'BIGINT', value: BigInt(value) });

function limitOf({ most }: UsesRead, bind: Bind): string {
  if (most === undefined) return '';
  const { rows, order, of } = most;
  if (of === undefined) return ` ORDER BY ${ORDERS[order]} LIMIT ${big(rows, bind)}`;
  return ` QUALIFY row_number() OVER (PARTITION BY u.${of} ORDER BY ${ORDERS[order]}) <= ${big(rows, bind)}`;
}

/** When a fact is known as of the index, which is SQL. */
const KNOWN: Readonly<Record<'usr' | 'client' | 'agent' | 'res', (index: string) => string>> = {
  usr: (index) => `u.bound_ix < ${index}`,
  client: (index) => `u.bound_ix < ${index}`,
  agent: (index) => `coalesce(u.agent_ix, u.bound_ix) < ${index}`,
  res: (index) => `(u.res_bound IS NULL OR u.bound_ix < ${index})`,
};

function conditionsOf(read: UsesRead, bind: Bind): string[] {
  const { index, attributed, tok, entries, from, to, since, blocks, lateAgents, behind, position, scope } = read;
  const conditions: string[] = [];
  const asOf = index === undefined ? undefined : big(index, bind);
  if (asOf !== undefined) conditions.push(`u.ix < ${asOf}`);
  if (asOf !== undefined && attributed) conditions.push(`u.bound_ix < ${asOf}`);
  for (const column of ['usr', 'client', 'agent', 'res'] as const) {
    const ids = read[column];
    if (ids === undefined) continue;
    conditions.push(`u.${column} IN (SELECT unnest(${bind({ type: 'INTEGER[]', value: ids })}))`);
    if (asOf !== undefined) conditions.push(KNOWN[column](asOf));
  }
  for (const column of ['op', 'outcome', 'route', 'addr'] as const) {
    const value = read[column];
    if (value !== undefined) conditions.push(`u.${column} = ${big(value, bind)}`);
  }
  if (scope !== undefined) conditions.push(`list_contains(u.scopes, ${big(scope, bind)}::INTEGER)`);
  if (tok !== undefined) {
    const keys = bind({ type: 'VARCHAR[]', value: tok.map((key) => key.toString('hex')) });
    // DuckDB 1.5.6 loses rows if it compares bytes while it reads a file. It does not look into `coalesce`.
    conditions.push(`coalesce(u.tok IN (SELECT unhex(unnest(${keys}))), false)`);
  }
  const among = (list: readonly bigint[]): string => `(SELECT unnest(${bind({ type: 'BIGINT[]', value: list })}))`;
  if (entries !== undefined) conditions.push(`u.ix IN ${among(entries.map(BigInt))}`);
  if (blocks !== undefined) conditions.push(`(u.bound_ix >> 14) IN ${among(blocks.map(BigInt))}`);
  if (from !== undefined) conditions.push(`u.first_at >= ${big(from, bind)}`);
  if (to !== undefined) conditions.push(`u.first_at < ${big(to, bind)}`);
  if (since !== undefined) conditions.push(`greatest(u.ix, u.bound_ix) >= ${big(since, bind)}`);
  if (lateAgents) conditions.push('u.agent_ix IS NOT NULL');
  if (behind !== undefined) conditions.push(`u.ix > ${big(behind, bind)}`);
  if (position !== undefined)
    conditions.push(`(u.first_at, u.ix) < (${big(position[0], bind)}, ${big(position[1], bind)})`);
  return conditions;
}
