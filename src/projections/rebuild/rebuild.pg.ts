import type { Pool, PoolClient } from 'pg';
import { RescindError, type AudienceTerms } from '../../contracts/index.js';
import { projectionsOf, REBUILD_NAMES, type ProjectionName } from '../declarations.js';
import { compareTables, type Compared } from './compare.pg.js';
import { BATCH_ENTRIES, createFold, type Fold } from './fold.pg.js';
import { createHold } from './hold.pg.js';
import { keepIds } from './kept-ids.pg.js';
import { analyzeShadow, createShadow, dropShadow, findLiveSchema, finishShadow, MADE, REPLACED, switchTables, tablesOf } from './shadow.pg.js';

/** Names the session lock of the one rebuild that may run; any number that nobody else uses. The next one is held while it switches. */
const REBUILD_LOCK = 7305808869231650670n;
const SWITCH_LOCK = String(REBUILD_LOCK + 1n);

/** Entries that may be left when ingest is held: they are folded while it stands. */
const MAX_LAST_ENTRIES = 500n;

/** Entries after which the tables are analysed for the first time, and by how many times they grow until the next. */
const ANALYZE_FIRST_AT = 10_000n;
const ANALYZE_AGAIN_AT = 3n;

/** Connections that a rebuild holds at once: writer, reader, holder of the locks, comparer. */
export const REBUILD_CONNECTIONS = 5;

export interface Progress {
  readonly phase: 'reading' | 'indexing' | 'comparing' | 'switching' | 'verifying';
  readonly folded: bigint;
  /** Entries in the ledger as last seen: grows while ingest goes on. */
  readonly total: bigint;
}

export interface RebuildOptions {
  /** Of at least {@link REBUILD_CONNECTIONS}. */
  readonly pool: Pool;
  readonly name: string;
  /** Rejects for a tenant that is not known. */
  readonly tenantKey: (tenant: string) => Promise<Uint8Array>;
  /** Resource identifiers of a source as it was registered. */
  readonly firstResources: (source: string) => AudienceTerms;
  /** Switches although rows differ. */
  readonly acceptDifference?: boolean;
  /** `table` or `table.column` whose shape or meaning a release has changed: not compared. */
  readonly leftOut?: readonly string[];
  /** Entries of one transaction, at most; how they are batched must not show. */
  readonly batchEntries?: bigint;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

export interface Rebuilt {
  readonly projections: readonly ProjectionName[];
  readonly entries: bigint;
  /** Of those, without a payload: nothing that they said is in the new tables. */
  readonly erased: bigint;
  readonly tables: readonly Compared[];
  /** False: something differs, and nothing live was changed. */
  readonly switched: boolean;
  /** After the switch, compared once more as of it. False: the tables that were replaced are kept. Undefined: not done, as differences were accepted. */
  readonly verified: boolean | undefined;
  /** Longest time for which ingest waited, of all times that it was held. */
  readonly ingestHeldMs: number;
}

/**
 * Makes projections anew from the ledger beside the live ones, while ingest and questions go on, compares them, and switches in one
 * transaction. Nothing live is changed before that one commits. Rejects with `invalid-request` for a name that is none,
 * `rebuild-running` while another runs, `rebuild-not-switched` when the locks could not be had in time; what was made is dropped then.
 */
export async function rebuildProjections(options: RebuildOptions): Promise<Rebuilt> {
  const names = projectionsOf(options.name);
  if (!names) throw new RescindError('invalid-request', { detail: `no projection is named so; there are ${REBUILD_NAMES.join(', ')}` });
  const writer = await options.pool.connect();
  // A connection that breaks says so by the query that fails; without a listener it would end the process, too.
  writer.on('error', () => undefined);
  try {
    const { rows } = await writer.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1) AS mine', [String(REBUILD_LOCK)]);
    if (!rows[0]!.mine) throw new RescindError('rebuild-running');
    // One that lost its session may be switching on another.
    await writer.query('SELECT pg_advisory_lock($1), pg_advisory_unlock($1)', [SWITCH_LOCK]);
    return await rebuild(options, names, writer);
  } finally {
    await writer.query('SELECT pg_advisory_unlock_all()').catch(() => undefined);
    // Closed, not given back: it remembers ids of tables that may be gone.
    writer.release(true);
  }
}

async function rebuild(options: RebuildOptions, names: ReadonlySet<ProjectionName>, writer: PoolClient): Promise<Rebuilt> {
  const { pool, acceptDifference = false, leftOut = [] } = options;
  const live = await findLiveSchema(writer);
  const tables = tablesOf(names);
  checkLeftOut(leftOut, tables);
  await writer.query("SET statement_timeout = 0; SET transaction_timeout = 0; SET idle_in_transaction_session_timeout = '60s'; SET synchronous_commit = off");
  await dropShadow(writer);
  let keepReplaced = false;
  try {
    await createShadow(writer, live, names);
    // The writers' plain names find the new tables and nothing else: a table that is not declared is an error, not a live one.
    await writer.query(`SET search_path = ${MADE}`);
    let total = 0n;
    let analyzeAt = ANALYZE_FIRST_AT;
    let phase: Progress['phase'] = 'reading';
    const tell = (now = phase): void => {
      phase = now;
      options.onProgress?.({ phase, folded: fold.folded, total });
    };
    const fold: Fold = createFold({
      pool,
      writer,
      batchEntries: options.batchEntries ?? BATCH_ENTRIES,
      only: names,
      findIds: keepIds({ pool, live, mayGive: names.has('entities') }),
      tenantKey: options.tenantKey,
      firstResources: options.firstResources,
      async onFolded() {
        options.signal?.throwIfAborted();
        if (fold.folded >= analyzeAt) {
          await analyzeShadow(writer, names);
          analyzeAt = fold.folded * ANALYZE_AGAIN_AT;
        }
        if (fold.folded > total) total = fold.folded;
        tell();
      },
    });
    const catchUp = async (enough: bigint): Promise<void> => {
      for (;;) {
        const left = await fold.left();
        total = fold.folded + left.entries;
        await fold.fold(left);
        if (left.entries <= enough) return;
      }
    };
    // As long as the session is there it has the lock, and no other rebuild has begun.
    const isMine = async (): Promise<void> => void (await writer.query('SELECT'));
    const hold = createHold({ pool, live, tables, catchUp: () => catchUp(MAX_LAST_ENTRIES), foldLast: () => foldLast(fold), switchLock: SWITCH_LOCK, isMine });

    await catchUp(MAX_LAST_ENTRIES);
    tell('indexing');
    await finishShadow(writer, live, names);
    tell('comparing');
    const before = await hold.snapshot();
    const compared = await inSnapshot(before, (session) => compareTables(session, { live, rebuilt: MADE }, tables, leftOut));
    const same = compared.every((one) => one.same);
    const report = { projections: [...names], tables: compared };
    if (!same && !acceptDifference) {
      return { ...report, entries: fold.folded, erased: fold.erased, switched: false, verified: undefined, ingestHeldMs: hold.longestMs };
    }
    options.signal?.throwIfAborted();
    tell('switching');
    const after = await hold.switch((client) => switchTables(client, live, tables));
    keepReplaced = true;
    tell('verifying');
    const verified = await inSnapshot(after, async (session) =>
      same ? (await compareTables(session, { live: REPLACED, rebuilt: live }, tables, leftOut)).every((one) => one.same) : undefined,
    );
    keepReplaced = verified === false;
    return { ...report, entries: fold.folded, erased: fold.erased, switched: true, verified, ingestHeldMs: hold.longestMs };
  } finally {
    if (!keepReplaced) await dropShadow(writer).catch(() => undefined);
  }
}

/** What came between the last look and the hold. Too much of it, and ingest would stand for too long. */
async function foldLast(fold: Fold): Promise<boolean> {
  const left = await fold.left();
  if (left.entries > MAX_LAST_ENTRIES * 2n) return false;
  await fold.fold(left);
  return true;
}

async function inSnapshot<T>(session: PoolClient, work: (session: PoolClient) => Promise<T>): Promise<T> {
  try {
    return await work(session);
  } finally {
    session.release(true);
  }
}

function checkLeftOut(leftOut: readonly string[], tables: readonly string[]): void {
  const unknown = leftOut.find((name) => !tables.includes(name.split('.', 1)[0]!));
  if (unknown !== undefined) throw new RescindError('invalid-request', { detail: `\`${unknown}\` is none of the tables made anew: ${tables.join(', ')}` });
}
