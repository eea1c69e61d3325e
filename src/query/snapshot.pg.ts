import type { Pool, PoolClient, QueryResult, QueryResultRow } from 'pg';
import { RescindError } from '../contracts/index.js';
import { loadSql } from '../platform/index.js';
import { createLineageReader, ENTER_GATE, type LineageReader } from '../projections/index.js';
import type { AskedMoment, Moment } from './as-of.js';

/** A question that takes longer is ended: it would hold a connection that others wait for. */
export const QUESTION_TIMEOUT_MS = 2_000;

/**
 * Compiling takes longer than most questions, and is chosen by estimates that recursion inflates; starting workers takes longer than they
 * save where every core has a question of its own.
 */
const BEGIN_SNAPSHOT = `BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; ${ENTER_GATE}; SET LOCAL statement_timeout = ${QUESTION_TIMEOUT_MS}; SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0`;
const READ_ARRIVAL = 'SELECT arrival FROM entry WHERE tenant = $1 AND ix = $2';
const FIND_INDEX = { name: 'find-index', text: loadSql(import.meta.url, 'find-index.sql') };

/** A text that never varies: a connection parses it once, and plans it once where its values make no difference. */
export interface Prepared {
  readonly name: string;
  readonly text: string;
}

type Rows = <R extends QueryResultRow>(sql: string | Prepared, values?: readonly unknown[]) => Promise<R[]>;

type Pages = <R extends QueryResultRow>(sql: string, values: readonly unknown[], size: number) => AsyncIterable<R[]>;

/** One tenant's tables as they were at one moment. What came at or after `index` is still in them: each statement leaves it out. */
export interface Snapshot extends Moment {
  readonly tenant: string;
  /** Nothing has come since `index`: what is kept for the present alone may be read. */
  readonly present: boolean;
  /** `$1` is the tenant, always; `values` are `$2` and on. */
  readonly rows: Rows;
  /** Is another when the tables are: restored, or made anew by a rebuild. What was remembered of them is void then. */
  readonly tables: string;
  /** The rows of one statement, so many at a time: no more of them are held. */
  readonly pages: Pages;
  /** Reads in the same transaction. Not as of `index`. */
  readonly lineage: LineageReader;
  /** Another moment of the same snapshot, for questions that compare two. */
  asOf(asked: AskedMoment): Promise<Snapshot>;
}

/**
 * Runs a question on one snapshot of one tenant, as of a moment, or of now. `other` is a time that it will ask for by `asOf`, of a question of
 * the present, given epoch milliseconds of now: it is found in the round trip that opens.
 */
export type Ask = <T>(tenant: string, question: (snapshot: Snapshot) => Promise<T>, asked?: AskedMoment, other?: (nowMs: number) => number | undefined) => Promise<T>;

/**
 * Every question is one read-only REPEATABLE READ transaction, so that its statements see the same moment. Rejects with
 * `filter-too-wide` when a statement exceeds {@link QUESTION_TIMEOUT_MS}, with `as-of-out-of-range` for a moment that the ledger
 * does not cover.
 */
export function createAsk({ pool, now }: { readonly pool: Pool; readonly now: () => number }): Ask {
  return async (tenant, question, asked, other) => {
    try {
      return await reading(pool, async (client) => {
        const rows: Rows = async <R extends QueryResultRow>(sql: string | Prepared, values: readonly unknown[] = []) =>
          (await client.query<R>({ ...(typeof sql === 'string' ? { text: sql } : sql), values: [tenant, ...values] })).rows;
        const pages: Pages = (sql, values, size) => fetchPages(client, sql, [tenant, ...values], size);
        const startedAt = now();
        const opened = await open(client, tenant, asked, asked === undefined ? other?.(startedAt * 1_000) : undefined);
        // The reader only calls `query`, which a connection has too.
        const lineage = createLineageReader({ pool: client as unknown as Pool });
        const snapshotOf = ({ index, at }: Moment): Snapshot => ({ tenant, index, at, present: index === opened.head, rows, tables: opened.tables, pages, lineage, asOf });
        const asOf = async (moment: AskedMoment): Promise<Snapshot> => snapshotOf(await findMoment(rows, opened, startedAt, moment));
        return question(snapshotOf(await findMoment(rows, opened, startedAt, asked, opened.arrival)));
      });
    } catch (error) {
      throw explain(error);
    }
  };
}

/** Nothing is written, so that what was read is the answer: nobody waits for the end of the transaction but its connection. */
async function reading<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // Without a listener, a connection that breaks between two statements would end the process.
  const ignore = (): void => undefined;
  client.on('error', ignore);
  const release = (error?: Error): void => {
    client.off('error', ignore);
    client.release(error);
  };
  try {
    return await work(client);
  } finally {
    client.query('COMMIT').then(
      () => release(),
      (error: Error) => release(error),
    );
  }
}

interface Opened {
  readonly head: bigint;
  /** Of the last entry below the index that is asked for, milliseconds. */
  readonly arrival: string | null;
  readonly tables: string;
  readonly other?: { readonly atMs: number; readonly index: string } | undefined;
}

/** One table of each projection, which are switched whole; a server that was restored has started since. */
const TABLES = `concat_ws(' ', pg_postmaster_start_time(), ${['entity', 'edge_use', 'edge_grant', 'connection_version', 'edge_seen'].map((table) => `'${table}'::regclass::oid`).join(', ')})`;

/** All in one round trip, which takes no parameters. */
async function open(client: PoolClient, tenant: string, asked: AskedMoment | undefined, otherMs: number | undefined): Promise<Opened> {
  const last = asked !== undefined && 'index' in asked && !('at' in asked) ? asked.index - 1n : -1n;
  const literal = client.escapeLiteral(tenant);
  const next = `(SELECT next_ix FROM ledger_head WHERE tenant = ${literal})`;
  const head = `SELECT ${next}, (SELECT arrival FROM entry WHERE tenant = ${literal} AND ix = ${last}), ${TABLES} AS tables`;
  const other = otherMs === undefined ? '' : `, (${findIndexOf(literal, String(otherMs), `coalesce(${next}, 0)`)}) AS other`;
  const results = (await client.query(`${BEGIN_SNAPSHOT}; ${head}${other}`)) as unknown as readonly QueryResult<HeadRow>[];
  const { next_ix, arrival, tables, other: index } = results.at(-1)!.rows[0]!;
  return { head: BigInt(next_ix ?? 0), arrival, tables, other: otherMs === undefined ? undefined : { atMs: otherMs, index: index! } };
}

/** Without what is said in front of it: a comment ends with a line, and a literal need not. */
const HALVING = FIND_INDEX.text.slice(FIND_INDEX.text.indexOf('WITH'));
const findIndexOf = (tenant: string, atMs: string, head: string): string =>
  HALVING.replaceAll('$1', tenant).replaceAll('$2', atMs).replaceAll('$3', head);

interface HeadRow {
  readonly next_ix: string | null;
  readonly arrival: string | null;
  readonly tables: string;
  readonly other?: string;
}

/** One cursor in a transaction. */
async function* fetchPages<R extends QueryResultRow>(client: PoolClient, sql: string, values: readonly unknown[], size: number): AsyncGenerator<R[]> {
  await client.query(`DECLARE pages NO SCROLL CURSOR FOR ${sql}`, [...values]);
  for (;;) {
    const { rows } = await client.query<R>(`FETCH ${size} FROM pages`);
    if (rows.length > 0) yield rows;
    // The end of the transaction closes it.
    if (rows.length < size) return;
  }
}

async function findMoment(rows: Rows, { head, other }: Pick<Opened, 'head' | 'other'>, now: number, asked: AskedMoment | undefined, arrival: string | null = null): Promise<Moment> {
  if (asked === undefined) return { index: head, at: now };
  if ('atMs' in asked) {
    if (asked.atMs >= (now + 1) * 1000) throw outOfRange('`as_of` lies in the future');
    const [found] = other?.atMs === asked.atMs ? [other] : await rows<{ index: string }>(FIND_INDEX, [asked.atMs, String(head)]);
    if (found === undefined || found.index === '0') throw outOfRange('`as_of` lies before the first entry of the ledger');
    return { index: BigInt(found.index), at: Math.floor(asked.atMs / 1000) };
  }
  if (asked.index > head) throw outOfRange(`\`as_of\` lies beyond the ledger, which has ${head} entries`);
  if ('at' in asked) return asked;
  if (asked.index === 0n) throw outOfRange('`as_of` lies before the first entry of the ledger: of `n`, the entries below it are read');
  const last = arrival ?? (await rows<{ arrival: string }>(READ_ARRIVAL, [String(asked.index - 1n)]))[0]!.arrival;
  return { index: asked.index, at: Math.floor(Number(last) / 1000) };
}

const outOfRange = (detail: string): RescindError => new RescindError('as-of-out-of-range', { detail });

const QUERY_CANCELED = '57014';

function explain(error: unknown): unknown {
  if ((error as { code?: unknown }).code !== QUERY_CANCELED) return error;
  const detail = `the answer took longer than ${QUESTION_TIMEOUT_MS / 1000} s: narrow the window with \`from\` and \`to\`, or add a filter`;
  return new RescindError('filter-too-wide', { detail, cause: error });
}
