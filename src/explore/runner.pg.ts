import { resolve } from 'node:path';
import type { Pool } from 'pg';
import { tenantDirectory } from '../archive/index.js';
import type { Log } from '../platform/log/index.js';
import type { Metrics } from '../platform/observe/index.js';
import type { Leaving } from '../platform/postgres/index.js';
import { COUNTING_TIMEOUT_MS, createAsk, readNames, type AskedMoment, type Moment } from '../projections/index.js';
import type { Turns } from '../registry/index.js';
import { readArchived, type Archived } from './archived.pg.js';
import { createEngine } from './engine/engine.js';
import { findConditions, readLookups, type KnownSources } from './names/find-names.pg.js';
import type { Selected, Statement } from './question/compose.js';
import { windowAt, type AskedWindow, type Subject, type Window } from './question/read-question.js';
import type { DimensionName } from './question/vocabulary.js';
import type { NameOfSource } from './show.js';
import { createTails, type TailVisit } from './tail/tail.pg.js';

/** Names the ledger that is asked about, and the caller, with whom other callers take turns. */
export interface Asker {
  readonly tenant: string;
  readonly id: string;
}

export interface ExploreOptions {
  readonly pool: Pool;
  readonly log: Log;
  readonly metrics?: Metrics;
  readonly turns: Turns;
  readonly leaving?: Leaving;
  readonly sources: KnownSources;
  readonly nameOfSource: NameOfSource;
  /** The archive's directory. */
  readonly archiveRoot: string;
  /** Uses on their way to the engine lie below this directory. */
  readonly home: string;
  /** Returns the current time in epoch seconds. */
  readonly now?: () => number;
  readonly queryTimeoutMs?: number;
  readonly maxTailUses?: number;
}

/** A question whose snapshot has been read: everything but the engine's part. */
export interface Prepared {
  readonly room: string;
  readonly selected: Selected;
  readonly moment: Moment;
  readonly archived: Archived;
  /** Uses in the tail. */
  readonly tail: number;
  readonly before: Window | undefined;
}

/** The members of a question that decide which uses it needs. */
export interface Wanted {
  readonly subject: Subject;
  readonly by?: readonly DimensionName[];
  readonly compare?: AskedWindow | undefined;
  /** Default: the moment of the subject. */
  readonly asked?: AskedMoment | undefined;
}

export type Runner = ReturnType<typeof createRunner>;

/** Creates the steps that every question is made of. */
export function createRunner(options: ExploreOptions) {
  const { pool, log, metrics, turns, leaving, sources, queryTimeoutMs, maxTailUses } = options;
  // The engine's working directory may be another.
  const root = resolve(options.archiveRoot);
  const ask = createAsk({ pool, now: options.now ?? (() => Math.floor(Date.now() / 1000)), leaving });
  const engine = createEngine({ log, metrics, queryTimeoutMs });
  const tails = createTails({
    engine,
    directoryOf: (tenant) => tenantDirectory(root, tenant),
    home: resolve(options.home),
    ...(maxTailUses === undefined ? {} : { maxUses: maxTailUses }),
  });
  const signal = (): AbortSignal | undefined => leaving?.signal();

  /** Reads what the question needs of PostgreSQL, and brings the engine up to the snapshot. */
  const prepare = (
    tenant: string,
    visit: TailVisit,
    { subject, by = [], compare, asked = subject.asked }: Wanted,
  ): Promise<Prepared> =>
    ask(
      tenant,
      async (snapshot) => {
        const { index, at } = snapshot;
        const window = windowAt(subject.window, at);
        const before = compare && windowAt(compare, at, 'compare.');
        const archived = await readArchived(snapshot, root, before ? [window, before] : [window]);
        const conditions = await findConditions(snapshot, subject.conditions, sources);
        const lookups = await readLookups(snapshot, [...by, ...conditions.map(({ dimension }) => dimension)]);
        const { room, uses } = await visit.ready(snapshot, archived.end);
        return {
          room,
          tail: uses,
          archived,
          moment: { index, at },
          before,
          selected: {
            index,
            at,
            window,
            conditions,
            sources: { ...pathsOf(archived, index), end: archived.end, lookups },
          },
        };
      },
      asked,
      { timeoutMs: COUNTING_TIMEOUT_MS },
    );

  /** Runs a statement in the engine. Says what was read, and how long it took. */
  async function compute({ room, archived, tail }: Prepared, statement: Statement) {
    const startedAt = performance.now();
    const rows = await engine.run(room, statement, signal());
    const read = {
      segments: archived.uses.length,
      archived: archived.uses.reduce((sum, file) => sum + file.rows, 0),
      tail,
      ms: Math.round(performance.now() - startedAt),
    };
    return { rows, read };
  }

  /** Runs what computes in its turn. */
  async function inTurn<T>(asker: Asker, work: () => Promise<T>, left = signal()): Promise<T> {
    const end = await turns.take(asker, left ?? new AbortController().signal);
    try {
      return await work();
    } finally {
      end();
    }
  }

  return {
    engine,
    signal,
    prepare,
    compute,
    inTurn,
    enter: (tenant: string) => tails.enter(tenant),

    /** Runs a question in its turn, with its hold on the tail. */
    async visiting<T>(asker: Asker, question: (visit: TailVisit) => Promise<T>): Promise<T> {
      const visit = tails.enter(asker.tenant);
      try {
        return await inTurn(asker, () => question(visit));
      } finally {
        visit.leave();
      }
    },

    namesAt: (tenant: string, moment: Moment, ids: readonly number[]) =>
      ask(tenant, (snapshot) => readNames(snapshot, ids), moment),

    async stop(): Promise<void> {
      await engine.stop();
      await tails.stop();
    },
  };
}

/** Returns the paths of the files that a question reads, as of an index. */
export const pathsOf = ({ uses, late, path }: Archived, index: bigint) => ({
  whole: uses.filter(({ end }) => end <= index).map(path),
  cut: uses.filter(({ end }) => end > index).map(path),
  late: late.map(path),
});
