import type { Context } from '../context.js';
import { formatTable } from '../output.js';
import { createProgress } from '../progress.js';
import { UsageError } from '../terminal.js';

/** Name of the archive among the projections that `rescind rebuild` takes. */
export const ARCHIVE = 'archive';

/** The session that holds the archive's lock. */
const CONNECTIONS = 1;

/** Compares the archive's files with the manifest, makes damaged ones anew, and says which. */
export async function rebuildArchiveFiles(context: Context, json: boolean): Promise<void> {
  const [{ rebuildArchive }, { onDatabase }, { createLog }, { readConfig }] = await Promise.all([
    import('../../archive/index.js'),
    import('./rebuild-from-ledger.js'),
    import('../../platform/log/index.js'),
    import('../../platform/config/index.js'),
  ]);
  const config = readConfig(context.terminal.env);
  const log = createLog({ level: config.logLevel });
  const progress = createProgress(context.terminal.err);
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort(new UsageError('interrupted: repeat it to make the rest anew'));
  process.once('SIGINT', interrupt);
  try {
    const { damaged, segments, otherRows } = await onDatabase(config, { log, max: CONNECTIONS }, ({ pool }) =>
      rebuildArchive({
        pool,
        root: config.archiveDir,
        signal: interrupted.signal,
        onProgress: ({ phase, done, total }) =>
          progress.show(phase === 'writing' ? { done: BigInt(done), total: BigInt(total) } : `${phase} …`),
      }),
    );
    progress.end();
    const rows = damaged.map(({ tenant, file, path, problem }) => ({
      tenant,
      table: file.name,
      range: `${file.first}-${file.end}`,
      problem,
      path,
    }));
    context.terminal.out.write(
      json
        ? `${JSON.stringify({ damaged: rows, segments, other_rows: otherRows })}\n`
        : describe(rows, segments, otherRows),
    );
  } finally {
    progress.end();
    process.off('SIGINT', interrupt);
  }
}

function describe(
  rows: readonly { readonly problem: string; readonly path: string }[],
  segments: number,
  otherRows: number,
): string {
  if (rows.length === 0) return 'Every file of the archive is as its manifest says.\n';
  const lines = [
    `${rows.length} files were damaged; ${segments} segments were written anew.`,
    ...(otherRows > 0
      ? [`${otherRows} of their files have another number of rows than before: the tables have changed since.`]
      : []),
  ];
  return `${formatTable(rows, ['problem', 'path'])}\n${lines.join('\n')}\n`;
}
