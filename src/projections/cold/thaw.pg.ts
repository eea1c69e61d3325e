import type { QueryConfig, QueryResult } from 'pg';
import { RescindError } from '../../contracts/index.js';
import { COLD_COLUMNS, meetsCold, type ColdBounds, type ColdUses, type ReadsUses, type UsesRead } from './uses-read.js';

/** Timeout of a statement of a question that reads cold uses, and of its transaction between two statements, ms. */
export const COLD_TIMEOUT_MS = 20_000;

const FIND_SCHEMA = `SELECT quote_ident(n.nspname) AS live FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = 'ledger_head'::regclass`;
/** Finds the statements that read uses. */
const NAMES_ACCESS = /\b(?:from|join)\s+access\b/i;

type Send = <R extends Record<string, unknown>>(statement: QueryConfig) => Promise<QueryResult<R>>;

export interface ReadingStatement {
  readonly text: string;
  readonly uses?: ReadsUses | undefined;
}

/** Lays the cold uses that statements need beside the others, for the transaction of one question. */
export interface Thaw {
  /** Returns true once the table `access` of this transaction is another: statements must then be parsed anew. */
  prepare(statement: ReadingStatement, values: readonly unknown[]): Promise<boolean>;
  /** Throws if the statement reads uses: only a declared one is prepared for. */
  refuse(text: string): void;
  readonly isThawed: boolean;
}

/**
 * Creates the thaw of a transaction that is open and may write. It makes a temporary view `access`, which stands before the table of this
 * name, of the table and of a temporary table with the cold uses that were read. Both end with the transaction.
 */
export function createThaw({
  tenant,
  bounds,
  cold,
  query,
  signal,
}: {
  readonly tenant: string;
  readonly bounds: ColdBounds;
  readonly cold: ColdUses | undefined;
  readonly query: Send;
  readonly signal: AbortSignal | undefined;
}): Thaw {
  const rows = async <R extends Record<string, unknown>>(sql: string, values: readonly unknown[] = []): Promise<R[]> =>
    (await query<R>({ text: sql, values: [tenant, ...values] })).rows;
  const known = new Set<string>();
  let left = cold?.most ?? 0;
  let insert: string | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  async function load(reads: readonly UsesRead[]): Promise<void> {
    const fresh = reads.filter((read) => !known.has(nameOf(read)));
    if (fresh.length === 0) return;
    if (cold === undefined)
      throw new RescindError('not-archived', {
        detail: 'the uses have left the database, and no archive is read here',
      });
    insert ??= await openTables(query);
    const chunks = await cold.read({ tenant, rows, reads: fresh, most: left, signal });
    for (const { lines, uses } of chunks) {
      left -= uses;
      await query({ text: insert, values: [tenant, lines] });
    }
    if (chunks.length > 0) await query({ name: 'thaw-analyze', text: 'ANALYZE cold_use' });
    for (const read of fresh) known.add(nameOf(read));
  }

  const refuse = (text: string): void => {
    if (NAMES_ACCESS.test(text)) throw new TypeError('a statement that reads uses does not say which');
  };

  return {
    refuse,
    get isThawed() {
      return insert !== undefined;
    },
    async prepare({ text, uses }, values) {
      if (uses === undefined) {
        refuse(text);
        return false;
      }
      const reads = (await uses(values, rows)).filter((read) => meetsCold(bounds, read));
      const own = turn.then(() => load(reads));
      turn = own.catch(() => undefined);
      await own;
      return insert !== undefined;
    },
  };
}

const nameOf = (read: UsesRead): string =>
  JSON.stringify(read, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));

/** Creates the temporary table and view, and returns the statement that fills the table. A use that has not left is not added. */
async function openTables(query: Send): Promise<string> {
  const [{ live }] = (await query<{ live: string }>({ name: 'thaw-schema', text: FIND_SCHEMA })).rows as [
    { live: string },
  ];
  const statements = [
    `SET LOCAL statement_timeout = ${COLD_TIMEOUT_MS}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${2 * COLD_TIMEOUT_MS}`,
    "SET LOCAL plan_cache_mode = 'force_custom_plan'",
    `CREATE TEMPORARY TABLE cold_use (LIKE ${live}.access INCLUDING INDEXES) ON COMMIT DROP`,
    // The end of the table takes the view with it.
    `CREATE TEMPORARY VIEW access AS SELECT * FROM ${live}.access UNION ALL SELECT * FROM cold_use`,
  ];
  // Statements without values need a name, to be sent together with others.
  for (const [nth, text] of statements.entries()) await query({ name: `thaw-${nth}`, text });
  const fields = COLD_COLUMNS.map(([, type], nth) => `f[${nth + 1}]::${type}`);
  return `INSERT INTO cold_use (tenant, ${COLD_COLUMNS.map(([name]) => name).join(', ')})
    SELECT $1::uuid, ${fields.join(', ')}
    FROM (SELECT string_to_array(line, '|', '') AS f FROM string_to_table($2::text, E'\\n') AS line OFFSET 0) l
    WHERE (SELECT true FROM ${live}.access a WHERE a.tenant = $1 AND a.ix = f[1]::bigint AND a.at = f[3]::bigint LIMIT 1) IS NULL
    ON CONFLICT DO NOTHING`;
}
