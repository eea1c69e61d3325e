import type { Pool, PoolClient } from 'pg';
import { RescindError, type AudienceTerms } from '../../contracts/index.js';
import { projectionsOf, REBUILD_NAMES, type ProjectionName } from '../declarations.js';
import { REBUILD_LOCK } from '../gate.js';
import { compareTables, type Compared } from './compare.pg.js';
import { BATCH_ENTRIES, createFold, type Fold } from './fold.pg.js';
import { createHold } from './hold.pg.js';
import { keepIds } from './kept-ids.pg.js';
import {
  analyzeShadow,
  createShadow,
  dropShadow,
  findLiveSchema,
  finishShadow,
  MADE,
  REPLACED,
  switchTables,
  tablesOf,
} from './shadow.pg.js';

const SWITCH_LOCK = String(REBUILD_LOCK + 1n);

/** Entries that may be left when a hold begins. They are folded while ingest is held. */
const MAX_LAST_ENTRIES = 500n;

/** Entries after which the tables are analysed first, and the factor by which they grow until the next time. */
const ANALYZE_FIRST_AT = 10_000n;
const ANALYZE_AGAIN_AT = 3n;

/** Connections that a rebuild needs at once: writer, reader, holder of the locks, comparer, and one to give ids. */
export const REBUILD_CONNECTIONS = 5;

export interface Progress {
  readonly phase: 'reading' | 'indexing' | 'comparing' | 'switching' | 'verifying';
  readonly folded: bigint;
  /** Entries in the ledger when it was last read; grows while ingest goes on. */
  readonly total: bigint;
}

export interface RebuildOptions {
  /** A pool with at least {@link REBUILD_CONNECTIONS} connections. */
  readonly pool: Pool;
  readonly name: string;
  /** Returns a tenant's key; rejects if the tenant is not known. */
  readonly tenantKey: (tenant: string) => Promise<Uint8Array>;
  /** Returns the resource identifiers of a source as it was registered. */
  readonly firstResources: (source: string) => AudienceTerms;
  /** Switches even if rows differ. */
  readonly acceptDifference?: boolean;
  /** Each `table` or `table.column` whose shape or meaning a release has changed. They are not compared. */
  readonly leftOut?: readonly string[];
  /** The most entries in one transaction. The result must not depend on it. */
  readonly batchEntries?: bigint;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

export interface Rebuilt {
  readonly projections: readonly ProjectionName[];
  readonly entries: bigint;
  /** How many of these entries had no payload. The new tables have nothing of them. */
  readonly erased: bigint;
  readonly tables: readonly Compared[];
  /** False if something differed; then nothing live was changed. */
  readonly switched: boolean;
  /**
   * Result of the comparison as of the switch. False: something differed, and the replaced tables are kept. Undefined: not compared,
   * because nothing was switched or differences were accepted.
   */
  readonly verified: boolean | undefined;
  /** The longest time for which a hold kept ingest waiting, milliseconds. */
  readonly ingestHeldMs: number;
}

/**
 * Makes projections anew from the ledger beside the live ones, while ingest and questions go on, compares them, and switches in one
 * transaction. Nothing live is changed before that transaction commits. Rejects with `invalid-request` for an unknown name,
 * `rebuild-running` if another rebuild runs, `rebuild-not-switched` if it cannot get the locks in time. The new tables are dropped
 * if it rejects.
 */
export async function rebuildProjections(options: RebuildOptions): Promise<Rebuilt> {
  const names = projectionsOf(options.name);
  if (!names)
    throw new RescindError('invalid-request', {
      detail: `no projection has this name; the names are ${REBUILD_NAMES.join(', ')}`,
    });
  const writer = await options.pool.connect();
  try {
    const { rows } = await writer.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1) AS mine', [
      String(REBUILD_LOCK),
    ]);
    if (!rows[0]!.mine) throw new RescindError('rebuild-running');
    // A rebuild that lost the session with its lock may still be switching on another session.
    await writer.query('SELECT pg_advisory_lock($1), pg_advisory_unlock($1)', [SWITCH_LOCK]);
    return await rebuild(options, names, writer);
  } finally {
    await writer.query('SELECT pg_advisory_unlock_all()').catch(() => undefined);
    // Closed instead of returned to the pool: the session has cached ids of tables that may be gone.
    writer.release(true);
  }
}

async function rebuild(
  options: RebuildOptions,
  names: ReadonlySet<ProjectionName>,
  writer: PoolClient,
): Promise<Rebuilt> {
  const { pool, acceptDifference = false, leftOut = [] } = options;
  const live = await findLiveSchema(writer);
  const tables = tablesOf(names);
  checkLeftOut(leftOut, tables);
  await writer.query(
    "SET statement_timeout = 0; SET transaction_timeout = 0; SET idle_in_transaction_session_timeout = '60s'; SET synchronous_commit = off",
  );
  await dropShadow(writer);
  let keepReplaced = false;
  try {
    await createShadow(writer, live, names);
    // The writers' plain names find only the new tables. A table that is not declared causes an error instead of a write to a live table.
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
    // While this session exists it holds the lock, so no other rebuild has begun.
    const isMine = async (): Promise<void> => void (await writer.query('SELECT'));
    const hold = createHold({
      pool,
      live,
      tables,
      catchUp: () => catchUp(MAX_LAST_ENTRIES),
      foldLast: () => foldLast(fold),
      switchLock: SWITCH_LOCK,
      isMine,
    });

    await catchUp(MAX_LAST_ENTRIES);
    tell('indexing');
    await finishShadow(writer, live, names);
    tell('comparing');
    const before = await hold.snapshot();
    const compared = await inSnapshot(before, (session) =>
      compareTables(session, { live, rebuilt: MADE }, tables, leftOut),
    );
    const same = compared.every((one) => one.same);
    const report = { projections: [...names], tables: compared };
    if (!same && !acceptDifference) {
      return {
        ...report,
        entries: fold.folded,
        erased: fold.erased,
        switched: false,
        verified: undefined,
        ingestHeldMs: hold.longestMs,
      };
    }
    options.signal?.throwIfAborted();
    tell('switching');
    const after = await hold.switch((client) => switchTables(client, live, tables));
    keepReplaced = true;
    tell('verifying');
    const verified = await inSnapshot(after, async (session) =>
      same
        ? (await compareTables(session, { live: REPLACED, rebuilt: live }, tables, leftOut)).every((one) => one.same)
        : undefined,
    );
    keepReplaced = verified === false;
    return {
      ...report,
      entries: fold.folded,
      erased: fold.erased,
      switched: true,
      verified,
      ingestHeldMs: hold.longestMs,
    };
  } finally {
    if (!keepReplaced) await dropShadow(writer).catch(() => undefined);
  }
}

/** Folds the entries that arrived before the hold. Returns false if there are so many that ingest would be held for too long. */
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
  if (unknown !== undefined)
    throw new RescindError('invalid-request', {
      detail: `\`${unknown}\` is none of the rebuilt tables: ${tables.join(', ')}`,
    });
}
