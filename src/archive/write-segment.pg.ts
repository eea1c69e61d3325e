import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeDirectories, syncDirectory, syncFile } from '../platform/durable/index.js';
import type { PoolClient } from '../platform/postgres/index.js';
import { copyRows } from './copy/copy-rows.pg.js';
import { hashFile } from './hash-file.js';
import type { EngineResult } from './engine/engine.js';
import { runEngine } from './engine/run-engine.js';
import { DRAFTS, removeLeftovers } from './leftovers.js';
import { commitSegment, openHead, replaceFile, replaceSegment, type ArchivedFile } from './manifest.pg.js';
import { filePath, FORMAT_VERSION, tenantDirectory, type Range } from './segment.js';
import { TABLE_NAMES, TABLES, type TableName } from './tables.js';

/** Steps of a segment, in order. Each is told when it is done; a writer may be killed after any of them. */
export const STEPS = ['cleaned', 'copied', 'converted', 'drafted', 'half-placed', 'placed', 'committed'] as const;
export type Step = (typeof STEPS)[number];

export interface SegmentOptions {
  /** The session that holds the archive's lock. */
  readonly client: PoolClient;
  readonly root: string;
  readonly range: Range;
  readonly signal?: AbortSignal;
  readonly onStep?: (step: Step) => Promise<void> | void;
  /** The tables whose files are written. Default: all. */
  readonly tables?: readonly TableName[];
}

/** Writes the segment of the range behind the archive's end: its files, then its manifest rows. Returns the files. */
export async function writeSegment(options: SegmentOptions): Promise<readonly ArchivedFile[]> {
  const { client, root, range, onStep } = options;
  await openHead(client, range.tenant);
  const { rows } = await client.query<{ day: string | null }>(
    'SELECT max(day)::text AS day FROM archive_file WHERE tenant = $1',
    [range.tenant],
  );
  const directory = tenantDirectory(root, range.tenant);
  await removeLeftovers(directory, { end: range.first, day: rows[0]!.day ?? undefined });
  await onStep?.('cleaned');
  const files = await placeFiles(options);
  await commitSegment(client, range, files);
  await onStep?.('committed');
  return files;
}

/** Writes the files of an archived range anew in their places, then their manifest rows. Returns the files. */
export async function rewriteSegment(options: SegmentOptions): Promise<readonly ArchivedFile[]> {
  const files = await placeFiles(options);
  await replaceSegment(options.client, options.range, files);
  return files;
}

/** Writes one file of an archived range anew in its place, then its manifest row. Other files of the range stay. */
export async function rewriteFile(options: Omit<SegmentOptions, 'tables'>, name: TableName): Promise<void> {
  const [file] = await placeFiles({ ...options, tables: [name] });
  if (file !== undefined) await replaceFile(options.client, options.range, file);
}

async function placeFiles({
  client,
  root,
  range,
  signal,
  onStep,
  tables = TABLE_NAMES,
}: SegmentOptions): Promise<readonly ArchivedFile[]> {
  const directory = tenantDirectory(root, range.tenant);
  const drafts = join(directory, DRAFTS, randomUUID());
  await makeDirectories(root, directory);
  await mkdir(drafts, { recursive: true, mode: 0o700 });
  const written = await draftFiles({ client, drafts, range, signal, onStep, tables });
  const files: ArchivedFile[] = [];
  for (const { name, rows, firstAt, lastAt } of written) {
    const draft = join(drafts, `${name}.parquet`);
    await syncFile(draft);
    files.push({ name, ...range, rows, ...(await hashFile(draft, signal)), firstAt, lastAt });
  }
  await onStep?.('drafted');
  for (const { name } of files) {
    if (name === 'uses') await onStep?.('half-placed');
    const path = join(directory, filePath(name, range));
    await makeDirectories(root, dirname(path));
    await rename(join(drafts, `${name}.parquet`), path);
    await syncDirectory(dirname(path));
  }
  await rm(drafts, { recursive: true, force: true });
  await onStep?.('placed');
  return files;
}

interface Draft {
  readonly name: TableName;
  readonly rows: number;
  readonly firstAt: number | null;
  readonly lastAt: number | null;
}

/** Copies the rows of every table and makes the Parquet files of those that have any. A tenant's first segment has a file of every table. */
async function draftFiles({
  client,
  drafts,
  range,
  signal,
  onStep,
  tables,
}: Pick<SegmentOptions, 'client' | 'range' | 'onStep'> & {
  readonly tables: readonly TableName[];
  readonly drafts: string;
  readonly signal: AbortSignal | undefined;
}): Promise<readonly Draft[]> {
  const copied = new Map<TableName, number>();
  for (const name of tables) {
    const path = join(drafts, `${name}.csv`);
    const rows = await copyRows(client, { name, range, path, ...(signal ? { signal } : {}) });
    if (rows > 0 || range.first === 0n) copied.set(name, rows);
  }
  await onStep?.('copied');
  const { written } =
    copied.size === 0
      ? { written: {} as EngineResult['written'] }
      : await runEngine(jobOf(drafts, range, copied), signal);
  await onStep?.('converted');
  return [...copied].map(([name, rows]) => {
    const one = written[name]!;
    if (one.rows !== rows)
      throw new Error(`the archive's engine wrote ${one.rows} rows of ${name} out of ${rows} (${basename(drafts)})`);
    return { name, rows, firstAt: secondsOf(one.firstAt), lastAt: secondsOf(one.lastAt) };
  });
}

const jobOf = (drafts: string, { tenant, first, end }: Range, copied: ReadonlyMap<TableName, number>) => ({
  directory: drafts,
  tables: [...copied.keys()].map((name) => ({
    name,
    csv: join(drafts, `${name}.csv`),
    parquet: join(drafts, `${name}.parquet`),
    ...TABLES[name],
    metadata: {
      'rescind.format': FORMAT_VERSION,
      'rescind.kind': name,
      'rescind.tenant': tenant,
      'rescind.range': `${first}-${end}`,
    },
  })),
});

const secondsOf = (text: string | null): number | null => (text === null ? null : Number(text));
