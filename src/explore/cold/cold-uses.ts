import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathOf, readManifest, tenantDirectory, type ArchivedFile } from '../../archive/index.js';
import { RescindError } from '../../contracts/index.js';
import type { Log } from '../../platform/log/index.js';
import type { ColdLines, ColdUses, UsesRead } from '../../projections/index.js';
import { createTurns, type Turns } from '../../registry/index.js';
import { createEngine } from '../engine/engine.js';
import { composeCold } from './compose-cold.js';

/** Questions that read cold uses at the same time; each has two threads. */
const READING_AT_ONCE = 2;
const MEMORY = '512MiB';
/** Cold uses that one question may lay beside the others: some ten seconds, and a hundred megabytes of the database's memory and disk. */
const MAX_COLD_USES = 250_000;

/** Reads cold uses from the archive, with an engine of its own, which starts with the first question that needs it. */
export interface ArchivedUses extends ColdUses {
  stop(): Promise<void>;
}

export function createArchivedUses({
  log,
  archiveRoot,
  turns = createTurns({ atOnce: READING_AT_ONCE }),
  queryTimeoutMs,
  most: mostOfQuestion = MAX_COLD_USES,
}: {
  readonly log: Log;
  readonly archiveRoot: string;
  readonly turns?: Turns;
  readonly queryTimeoutMs?: number;
  readonly most?: number;
}): ArchivedUses {
  // The engine's working directory may be another.
  const root = resolve(archiveRoot);
  const engine = createEngine({ log, queryTimeoutMs, memory: MEMORY });
  let opened = 0;

  async function inRoom<T>(tenant: string, work: (room: string) => Promise<T>): Promise<T> {
    const room = `cold-${(opened += 1)}`;
    await engine.open(room, [tenantDirectory(root, tenant)]);
    const { incarnation } = engine;
    try {
      return await work(room);
    } finally {
      // A room ends with its engine.
      if (engine.incarnation === incarnation) await engine.close(room).catch(() => undefined);
    }
  }

  return {
    most: mostOfQuestion,
    async read({ tenant, rows, reads, most, signal }) {
      const { files } = await readManifest(rows);
      const directory = tenantDirectory(root, tenant);
      const chunks: ColdLines[] = [];
      const end = await turns.take({ tenant, id: 'cold' }, signal ?? new AbortController().signal);
      try {
        await inRoom(tenant, async (room) => {
          let left = most;
          for (const read of reads) {
            const needed = filesOf(files, read);
            if (needed.uses.length === 0) continue;
            await checkSizes(log, directory, [...needed.uses, ...needed.late]);
            const pathsOf = (list: readonly ArchivedFile[]): string[] =>
              list.map((file) => join(directory, pathOf(file)));
            const statement = composeCold(read, { uses: pathsOf(needed.uses), late: pathsOf(needed.late) }, left);
            for (const [lines, uses] of await engine.run(room, statement, signal)) {
              left -= Number(uses);
              chunks.push({ lines: String(lines), uses: Number(uses) });
            }
            if (left < 0) throw tooMany(most);
          }
        });
      } finally {
        end();
      }
      return chunks;
    },
    stop: () => engine.stop(),
  };
}

/** The segments that may have uses of a read, and the files with facts that came to them later. */
function filesOf(
  files: readonly ArchivedFile[],
  { index, from, to, since, behind, entries, position }: UsesRead,
): { readonly uses: readonly ArchivedFile[]; readonly late: readonly ArchivedFile[] } {
  const lateSince =
    since !== undefined && files.some(({ name, rows, end }) => name === 'late' && rows > 0 && end > since);
  const uses = files.filter(
    ({ name, rows, first, end, firstAt, lastAt }) =>
      name === 'uses' &&
      rows > 0 &&
      (index === undefined || first < BigInt(index)) &&
      (behind === undefined || end > behind) &&
      (since === undefined || lateSince || end > since) &&
      (entries === undefined || entries.some((entry) => first <= BigInt(entry) && BigInt(entry) < end)) &&
      (from === undefined || BigInt(lastAt!) >= BigInt(from)) &&
      (to === undefined || BigInt(firstAt!) < BigInt(to)) &&
      (position === undefined || BigInt(firstAt!) <= BigInt(position[0])),
  );
  // A fact of a use stands in the file of its own range or of a later one.
  const earliest = uses[0]?.first;
  const late =
    earliest === undefined
      ? []
      : files.filter(({ name, rows, first }) => name === 'late' && rows > 0 && first >= earliest);
  return { uses, late };
}

/** Refuses files that are missing or have another size than their manifest rows. The daily check compares their digests. */
async function checkSizes(log: Log, directory: string, files: readonly ArchivedFile[]): Promise<void> {
  const sizes = await Promise.all(
    files.map((file) =>
      stat(join(directory, pathOf(file))).then(
        ({ size }) => size,
        () => undefined,
      ),
    ),
  );
  const nth = sizes.findIndex((size, at) => size !== files[at]!.bytes);
  if (nth < 0) return;
  log.error(
    { path: join(directory, pathOf(files[nth]!)) },
    'a file of the archive is missing or has another size; run `rescind rebuild archive`',
  );
  throw new RescindError('archive-damaged');
}

const tooMany = (most: number): RescindError =>
  new RescindError('filter-too-wide', {
    detail: `more than ${most.toLocaleString('en')} uses would be read that have left the database: narrow the window, or ask \`POST /v1/explore\``,
  });
