import type { Command } from 'commander';
import type { Compared, Rebuilt } from '../../projections/index.js';
import { jsonOption, type Context } from '../context.js';
import { formatTable } from '../output.js';
import { createProgress } from '../progress.js';
import { ARCHIVE, rebuildArchiveFiles } from './rebuild-archive.js';
import { describeVariables, type Variables } from './serve.js';
import { UsageError } from '../terminal.js';

const EXAMPLES = `
New tables are made from the ledger alone, compared with the live ones, and switched in one transaction, while the service goes on. If rows
differ, nothing is switched. Exit codes: 0 switched, 1 differs or failed.

Examples:
  rescind rebuild all
  rescind rebuild usage --accept-difference     the live rows are wrong: put the new ones in their place
  rescind rebuild usage --shape use_total,access.note     a release changed these: compare the rest
  rescind rebuild archive      compare every file of the archive, and make what is missing or changed anew from PostgreSQL
`;

interface Options {
  readonly acceptDifference?: boolean;
  readonly shape?: string;
  readonly json?: boolean;
}

export function addRebuild(
  program: Command,
  context: Context,
  variables: Variables,
  exitWith: (code: number) => void,
): void {
  program
    .command('rebuild <projection>')
    .description(
      'make the tables that questions read, or files of the archive, anew from the ledger; works on the database itself, also beside a running service',
    )
    .option('--accept-difference', 'switch even if rows differ from the live ones')
    .option('--shape <names>', 'tables, or columns as table.column, that a release changed; they are not compared')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES + describeVariables(variables))
    .action(async (name: string, options: Options) => {
      if (name === ARCHIVE) return await rebuildArchiveFiles(context, options.json === true);
      const [{ rebuildFromLedger }, { createLog }, { readConfig }, { projectionsOf, REBUILD_NAMES }] =
        await Promise.all([
          import('./rebuild-from-ledger.js'),
          import('../../platform/log/index.js'),
          import('../../platform/config/index.js'),
          import('../../projections/index.js'),
        ]);
      if (!projectionsOf(name))
        throw new UsageError(`no projection is named \`${name}\`; there are ${[...REBUILD_NAMES, ARCHIVE].join(', ')}`);
      const config = readConfig(context.terminal.env);
      const progress = createProgress(context.terminal.err);
      const interrupted = new AbortController();
      const interrupt = (): void => interrupted.abort(new UsageError('interrupted: nothing live was changed'));
      process.once('SIGINT', interrupt);
      const startedAt = performance.now();
      try {
        const rebuilt = await rebuildFromLedger(config, {
          log: createLog({ level: config.logLevel }),
          name,
          acceptDifference: options.acceptDifference === true,
          leftOut: options.shape?.split(',').map((one) => one.trim()) ?? [],
          onProgress: ({ phase, folded: done, total }) =>
            progress.show(phase === 'reading' ? { done, total } : `${phase} …`),
          signal: interrupted.signal,
        });
        progress.end();
        const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
        context.terminal.out.write(
          options.json === true ? `${JSON.stringify(answerOf(rebuilt, seconds))}\n` : describe(rebuilt, seconds),
        );
        if (!rebuilt.switched || rebuilt.verified === false) exitWith(1);
      } finally {
        progress.end();
        process.off('SIGINT', interrupt);
      }
    });
}

const rowOf = ({ table, rows, digest, rebuiltRows, rebuiltDigest, onlyLive, onlyRebuilt, leftOut }: Compared) => ({
  table,
  rows,
  digest,
  rebuilt_rows: rebuiltRows,
  rebuilt_digest: rebuiltDigest,
  only_live: String(onlyLive),
  only_rebuilt: String(onlyRebuilt),
  not_compared: leftOut,
});

function answerOf(rebuilt: Rebuilt, seconds: number): object {
  const { projections, entries, erased, switched, verified, ingestHeldMs } = rebuilt;
  const facts = {
    projections,
    entries: String(entries),
    erased: String(erased),
    seconds,
    switched,
    verified: verified ?? null,
    ingest_held_ms: ingestHeldMs,
  };
  return { ...facts, tables: rebuilt.tables.map(rowOf) };
}

function describe(rebuilt: Rebuilt, seconds: number): string {
  const { entries, erased, switched, verified, ingestHeldMs, tables } = rebuilt;
  const different = tables.filter(({ same }) => !same);
  const lines = [
    `${rebuilt.projections.join(', ')}: ${entries.toLocaleString('en-US')} entries in ${seconds} s; ingest waited ${ingestHeldMs} ms at the longest`,
    ...(erased > 0n
      ? [`${erased.toLocaleString('en-US')} entries are erased: nothing that they said is in the new tables`]
      : []),
    ...different.map(
      ({ table, onlyLive, onlyRebuilt }) =>
        `${table} differs: ${onlyLive} rows are only in the live table, ${onlyRebuilt} only in the rebuilt one`,
    ),
    switched
      ? 'Switched.'
      : 'Not switched, and nothing live was changed: look at what differs, then repeat with --accept-difference.',
    ...(verified === false
      ? [
          'After the switch the two were compared again and differ: the tables that were replaced are kept in the schema rescind_replaced.',
        ]
      : []),
  ];
  return `${formatTable(tables.map(rowOf), ['table', 'rows', 'digest', 'rebuilt_rows', 'rebuilt_digest'])}\n${lines.join('\n')}\n`;
}
