import type { Pool, PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg';
import { RescindError } from '../../contracts/index.js';
import { loadSql, queryTogether, type Leaving } from '../../platform/postgres/index.js';
import { COLD_TIMEOUT_MS, createThaw, type Thaw } from '../cold/thaw.pg.js';
import type { ColdBounds, ColdUses, ReadsUses } from '../cold/uses-read.js';
import { ENTER_GATE } from '../gate.js';
import { AS_TEXT, createLineageReader, type LineageReader } from '../tokens/read.pg.js';
import type { AskedMoment, Moment } from './moment.js';

/** Statement timeout of a question. A longer statement would hold a connection that other questions wait for. */
export const QUESTION_TIMEOUT_MS = 2_000;

/**
 * Settings of every question. JIT compilation takes longer than most questions and is chosen by estimates that
 * recursion inflates. Starting parallel workers takes longer than they save when every core has a question of its own.
 */
const SETTINGS = { jit: 'off', max_parallel_workers_per_gather: '0' } as const;
/**
 * SQL expression that identifies the generation of tables: one table of each projection, since a rebuild switches them
 * whole, and the server's start, since a restored server has started again. Tables are looked up by name each time,
 * because the plan is kept.
 */
const TABLES = `concat_ws(' ', pg_postmaster_start_time(), ${['entity', 'edge_use', 'edge_grant', 'connection_version', 'edge_seen'].map((table) => `to_regclass('${table}')::oid`).join(', ')})`;
const BEGIN_SNAPSHOT = [
  { name: 'question-begin', text: 'BEGIN ISOLATION LEVEL REPEATABLE READ' },
  { name: 'question-gate', text: ENTER_GATE },
] as const;
/** A question may write where a tenant has cold uses: temporary tables alone (cold/README.md). */
const READ_ONLY = `set_config('transaction_read_only', CASE WHEN EXISTS (SELECT FROM access_cold WHERE tenant = $1) THEN 'off' ELSE 'on' END, true)`;
const OPEN = {
  name: 'question-open',
  text: `SELECT ${READ_ONLY}, ${Object.entries(SETTINGS)
    .map(([name, value]) => `set_config('${name}', '${value}', true)`)
    .join(
      ', ',
    )}, set_config('statement_timeout', $4, true), set_config('plan_cache_mode', coalesce($3, current_setting('plan_cache_mode')), true), ${TABLES} AS tables,
    (SELECT next_ix FROM ledger_head WHERE tenant = $1) AS next_ix, (SELECT arrival FROM entry WHERE tenant = $1 AND ix = $2) AS arrival,
    (SELECT ARRAY[end_ix, end_at]::text[] FROM access_cold WHERE tenant = $1) AS cold`,
};
const COMMIT = { name: 'question-commit', text: 'COMMIT' } as const;
const READ_ARRIVAL = 'SELECT arrival FROM entry WHERE tenant = $1 AND ix = $2';
/** Counts the entries of a tenant, below the index `$3`, that had arrived by the millisecond `$2`. */
export const COUNT_ARRIVED = { name: 'count-arrived', text: loadSql(import.meta.url, 'count-arrived.sql') };
const COUNT_ARRIVED_OF_HEAD = {
  name: 'count-arrived-of-head',
  text: COUNT_ARRIVED.text.replaceAll('$3', 'coalesce((SELECT next_ix FROM ledger_head WHERE tenant = $1), 0)'),
};

/**
 * A statement whose text never varies. A connection parses it once, and plans it once if its values make no difference.
 */
export interface Prepared {
  readonly name: string;
  readonly text: string;
  /** Says which uses the statement reads. Every statement that reads `access` needs it. */
  readonly uses?: ReadsUses;
}

/** A statement that reads uses, and is not prepared. */
export type Unprepared = Omit<Prepared, 'name'>;

type Rows = <R extends QueryResultRow>(
  sql: string | Prepared | Unprepared,
  values?: readonly unknown[],
) => Promise<R[]>;

type Pages = <R extends QueryResultRow>(sql: string, values: readonly unknown[], size: number) => AsyncIterable<R[]>;

/** Identifies a generation of tables, for comparison alone. */
export type TableGeneration = string & { readonly [GENERATION]: true };
declare const GENERATION: unique symbol;

/**
 * One tenant's tables as they were at one moment. They still contain rows at or above `index`: each statement must
 * leave those out.
 */
export interface Snapshot extends Moment {
  readonly tenant: string;
  /** True if nothing has come since `index`: tables that are kept for the present alone may be read. */
  readonly present: boolean;
  /** Runs a statement. `$1` is always the tenant; `values` are `$2` and on. */
  readonly rows: Rows;
  /** Runs a statement and returns each row as a list of values in the server's text format. */
  readonly texts: (statement: Prepared, values: readonly unknown[]) => Promise<readonly (readonly (string | null)[])[]>;
  /**
   * Identifies this generation of tables. It changes after a restore or a rebuild; drop whatever was cached under
   * another value.
   */
  readonly tables: TableGeneration;
  /** Promises that no further statement follows: COMMIT goes in the same round trip as the statements already asked. */
  ends(): void;
  /** Reads the rows of one statement, `size` at a time; holds no more than that in memory. */
  readonly pages: Pages;
  /** Reads lineages in the same transaction. They are not limited to `index`. */
  readonly lineage: LineageReader;
  /** Returns another moment of the same snapshot, for questions that compare two. */
  asOf(asked: AskedMoment): Promise<Snapshot>;
}

/** A snapshot before its moment is known. For a question about now, `index` is above every index. */
export type Early = Pick<Snapshot, 'index' | 'rows'>;

/**
 * Runs a question on one snapshot of one tenant, as of a moment or now. The statements of `early` go in the round trip
 * that opens the transaction if the moment is now or is given by its index.
 */
export type Ask = <T, E = undefined>(
  tenant: string,
  question: (snapshot: Snapshot, early: E) => Promise<T>,
  asked?: AskedMoment,
  options?: AskOptions<E>,
) => Promise<T>;

export interface AskOptions<E> {
  readonly early?: (early: Early) => Promise<E>;
  /**
   * `generic`: reuse one plan for all values. Only for questions about now: some statements about the past are far
   * slower without value-specific plans.
   */
  readonly plans?: 'generic';
  /** Timeout of each statement, ms. Default: {@link QUESTION_TIMEOUT_MS}. */
  readonly timeoutMs?: number;
  /** Says in a sentence that the answer took longer than so many seconds, and what to do. */
  readonly tooLong?: (seconds: number) => string;
  /**
   * Names a second time that the question will pass to `asOf`, from the current epoch milliseconds. Its index is found
   * in the round trip that opens the transaction. Only for questions about now.
   */
  readonly other?: (nowMs: number) => number | undefined;
}

/** Above every index. */
const NO_INDEX = 2n ** 63n - 1n;

/**
 * Creates the function that runs questions. Each question is one read-only REPEATABLE READ transaction, so that its
 * statements see the same moment. Rejects with `filter-too-wide` when a statement exceeds its timeout, and with
 * `as-of-out-of-range` for a moment that the ledger does not cover.
 */
export function createAsk({
  pool,
  now,
  leaving,
  cold,
}: {
  readonly pool: Pool;
  readonly now: () => number;
  readonly leaving?: Leaving | undefined;
  /** Without it, a question that needs cold uses is refused. */
  readonly cold?: ColdUses | undefined;
}): Ask {
  return async <T, E = undefined>(
    tenant: string,
    question: (snapshot: Snapshot, early: E) => Promise<T>,
    asked?: AskedMoment,
    { early, plans, timeoutMs = QUESTION_TIMEOUT_MS, tooLong = narrowWindow, other }: AskOptions<E> = {},
  ) => {
    const left = leaving?.signal();
    let thawed = false;
    try {
      return await reading(pool, async (client, ended) => {
        const query = inTurns(client, left);
        const startedAt = now();
        const { rows, texts, ends, refuse, begins } = statementsOf(query, tenant, ended, () => (thawed = true));
        const opening = begins(
          open(query, tenant, asked, {
            plans,
            timeoutMs,
            otherMs: asked === undefined ? other?.(startedAt * 1_000) : undefined,
          }),
          (bounds) => createThaw({ tenant, bounds, cold, query, signal: left }),
        );
        const known = asked === undefined ? NO_INDEX : 'index' in asked ? asked.index : undefined;
        const found = early && known !== undefined ? early({ index: known, rows }) : undefined;
        // If the moment cannot be asked about, that error is the answer, whatever `early` does.
        found?.catch(() => undefined);
        const opened = await opening;
        const pages: Pages = (sql, values, size) => {
          refuse(sql);
          return fetchPages(client, sql, [tenant, ...values], size);
        };
        // The lineage reader calls only `query`.
        const lineage = createLineageReader({ pool: { query } as unknown as Pool });
        const snapshotOf = ({ index, at }: Moment): Snapshot => ({
          tenant,
          index,
          at,
          present: index === opened.head,
          rows,
          texts,
          ends,
          tables: opened.tables,
          pages,
          lineage,
          asOf,
        });
        const asOf = async (moment: AskedMoment): Promise<Snapshot> =>
          snapshotOf(await findMoment(rows, opened, startedAt, moment));
        const snapshot = snapshotOf(await findMoment(rows, opened, startedAt, asked, opened.arrival));
        return await question(snapshot, (await (found ?? early?.(snapshot))) as E);
      });
    } catch (error) {
      throw explain(error, tooLong((thawed ? Math.max(COLD_TIMEOUT_MS, timeoutMs) : timeoutMs) / 1000));
    }
  };
}

type Send = <R extends QueryResultRow>(statement: QueryConfig) => Promise<QueryResult<R>>;

/** Creates the functions that run the statements of a question. If the tenant has cold uses, those that a statement reads are laid beside the others first. */
function statementsOf(query: Send, tenant: string, ended: (by: Promise<unknown>) => void, onThawed: () => void) {
  let isOpen = false;
  /** Undefined if the tenant has no cold uses. */
  let thaw: Thaw | undefined;
  let opening: Promise<unknown> = Promise.resolve();
  /** Settles when every statement that waits for cold uses has been sent. */
  let sending: Promise<unknown> = Promise.resolve();

  function send<R extends QueryResultRow>(
    statement: string | Prepared | Unprepared,
    values: readonly unknown[],
    how = {},
  ): Promise<QueryResult<R>> {
    const { uses, ...plain }: Unprepared = typeof statement === 'string' ? { text: statement } : statement;
    const all = { values: [tenant, ...values], ...how };
    if (isOpen ? thaw === undefined : uses === undefined) return query<R>({ ...plain, ...all });
    const sent = opening.then(async () => {
      const isThawed = (await thaw?.prepare({ text: plain.text, uses }, values)) ?? false;
      if (isThawed) onThawed();
      // Under its name, the statement may have been parsed when its table was another.
      return { answer: query<R>({ ...(isThawed ? { text: plain.text } : plain), ...all }) };
    });
    sending = Promise.allSettled([sending, sent]);
    return sent.then(({ answer }) => answer);
  }

  return {
    /** Takes note of the bounds of cold uses as soon as the transaction is open. */
    begins(opens: Promise<Opened>, thawOf: (bounds: ColdBounds) => Thaw): Promise<Opened> {
      const opened = opens.then((one) => {
        isOpen = true;
        if (one.cold) thaw = thawOf({ endIx: BigInt(one.cold[0]), endAt: BigInt(one.cold[1]) });
        return one;
      });
      opening = opened;
      return opened;
    },
    rows: (async (statement, values = []) => (await send(statement, values)).rows) as Rows,
    texts: (async (statement, values) =>
      (await send<(string | null)[]>(statement, values, { rowMode: 'array', types: AS_TEXT }))
        .rows) as Snapshot['texts'],
    ends: (): void => ended(isOpen && thaw === undefined ? query(COMMIT) : sending.then(() => query(COMMIT))),
    refuse: (text: string): void => thaw?.refuse(text),
  };
}

/** Sends the statements that are asked at once, or while the connection is busy, in one round trip. */
function inTurns(client: PoolClient, left: AbortSignal | undefined): Send {
  let waiting: {
    readonly statement: QueryConfig;
    readonly resolve: (result: QueryResult) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  let busy = false;
  const send = async (): Promise<void> => {
    while (waiting.length > 0) {
      const turn = waiting;
      waiting = [];
      try {
        left?.throwIfAborted();
        const statements = turn.map(({ statement }) => statement);
        const results =
          statements.length === 1 ? [await client.query(statements[0]!)] : await queryTogether(client, statements);
        turn.forEach(({ resolve }, nth) => resolve(results[nth]!));
      } catch (error) {
        for (const { reject } of turn) reject(error);
      }
    }
    busy = false;
  };
  return <R extends QueryResultRow>(statement: QueryConfig) =>
    new Promise<QueryResult<R>>((resolve, reject) => {
      waiting.push({ statement, resolve, reject });
      if (busy) return;
      busy = true;
      queueMicrotask(() => void send());
    });
}

/**
 * Runs `work` on a connection and ends its transaction. Nothing is written, so the answer does not wait for the end of
 * the transaction; only the connection does.
 */
async function reading<T>(
  pool: Pool,
  work: (client: PoolClient, ended: (by: Promise<unknown>) => void) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let ending: Promise<unknown> | undefined;
  const ended = (by: Promise<unknown>): void => {
    ending = by;
    by.catch(() => undefined);
  };
  try {
    return await work(client, ended);
  } finally {
    const commit = (): Promise<unknown> => client.query('COMMIT');
    // COMMIT may have failed together with a statement of its round trip; a second one ends the transaction then.
    (ending?.catch(commit) ?? commit()).then(
      () => client.release(),
      (error: Error) => client.release(error),
    );
  }
}

interface Opened {
  readonly head: bigint;
  /** Arrival of the last entry below the index that is asked for, milliseconds. */
  readonly arrival: string | null;
  readonly tables: TableGeneration;
  /** Bounds of the tenant's cold uses: index and time. */
  readonly cold: readonly [endIx: string, endAt: string] | null;
  readonly other?: { readonly atMs: number; readonly index: string } | undefined;
}

interface HowToOpen {
  readonly plans: 'generic' | undefined;
  readonly timeoutMs: number;
  readonly otherMs: number | undefined;
}

async function open(
  query: Send,
  tenant: string,
  asked: AskedMoment | undefined,
  { plans, timeoutMs, otherMs }: HowToOpen,
): Promise<Opened> {
  const last = asked !== undefined && 'index' in asked && !('at' in asked) ? asked.index - 1n : -1n;
  for (const statement of BEGIN_SNAPSHOT) query(statement).catch(() => undefined); // The statements behind it fail with its error.
  const [opened, found] = await Promise.all([
    query<HeadRow>({
      ...OPEN,
      values: [
        tenant,
        String(last),
        plans === 'generic' && asked === undefined ? 'force_generic_plan' : null,
        String(timeoutMs),
      ],
    }),
    otherMs === undefined
      ? undefined
      : query<{ index: string }>({ ...COUNT_ARRIVED_OF_HEAD, values: [tenant, otherMs] }),
  ]);
  const { next_ix, arrival, tables, cold } = opened.rows[0]!;
  return {
    head: BigInt(next_ix ?? 0),
    arrival,
    tables,
    cold,
    other: otherMs === undefined ? undefined : { atMs: otherMs, index: found!.rows[0]!.index },
  };
}

interface HeadRow {
  readonly next_ix: string | null;
  readonly arrival: string | null;
  readonly tables: TableGeneration;
  readonly cold: readonly [string, string] | null;
}

/** Yields the pages of a cursor. A transaction has at most one such cursor. */
async function* fetchPages<R extends QueryResultRow>(
  client: PoolClient,
  sql: string,
  values: readonly unknown[],
  size: number,
): AsyncGenerator<R[]> {
  await client.query(`DECLARE pages NO SCROLL CURSOR FOR ${sql}`, [...values]);
  for (;;) {
    const { rows } = await client.query<R>(`FETCH ${size} FROM pages`);
    if (rows.length > 0) yield rows;
    // The end of the transaction closes the cursor.
    if (rows.length < size) return;
  }
}

async function findMoment(
  rows: Rows,
  { head, other }: Pick<Opened, 'head' | 'other'>,
  now: number,
  asked: AskedMoment | undefined,
  arrival: string | null = null,
): Promise<Moment> {
  if (asked === undefined) return { index: head, at: now };
  if ('atMs' in asked || 'agoMs' in asked) {
    const atMs = 'atMs' in asked ? asked.atMs : now * 1000 - asked.agoMs;
    if (atMs >= (now + 1) * 1000) throw outOfRange('`as_of` lies in the future');
    const [found] = other?.atMs === atMs ? [other] : await rows<{ index: string }>(COUNT_ARRIVED, [atMs, String(head)]);
    if (found === undefined || found.index === '0')
      throw outOfRange('`as_of` lies before the first entry of the ledger');
    return { index: BigInt(found.index), at: Math.floor(atMs / 1000) };
  }
  if (asked.index > head) throw outOfRange(`\`as_of\` lies beyond the ledger, which has ${head} entries`);
  if ('at' in asked) return asked;
  if (asked.index === 0n)
    throw outOfRange(
      '`as_of` lies before the first entry of the ledger: an index `n` reads the entries below `n`, so the least is 1',
    );
  const last = arrival ?? (await rows<{ arrival: string }>(READ_ARRIVAL, [String(asked.index - 1n)]))[0]!.arrival;
  return { index: asked.index, at: Math.floor(Number(last) / 1000) };
}

const outOfRange = (detail: string): RescindError => new RescindError('as-of-out-of-range', { detail });

const QUERY_CANCELED = '57014';

const narrowWindow = (seconds: number): string =>
  `the answer took longer than ${seconds} s: narrow the window with \`from\` and \`to\`, or add a filter`;

function explain(error: unknown, detail: string): unknown {
  if ((error as { code?: unknown }).code !== QUERY_CANCELED) return error;
  return new RescindError('filter-too-wide', { detail, cause: error });
}
