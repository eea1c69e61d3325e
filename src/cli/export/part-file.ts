import { open, readFile, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { lockFile } from '../../platform/lock/index.js';
import { UsageError } from '../terminal.js';
import { toParquet } from './to-parquet.js';

/** The forms of a file: OCSF events a line each, or their columns. */
export const FORMATS = ['jsonl', 'parquet'] as const;
export type Format = (typeof FORMATS)[number];

/** The window of an export that was begun. A duration such as `7d` would mean another window when it goes on. */
export interface Plan {
  /** The service, the form and the window, as they were asked for. */
  readonly url: string;
  readonly format: Format;
  readonly from: string | null;
  readonly to: string | null;
  /** The window as indexes: from `first` to `before`, exclusive. */
  readonly first: string;
  readonly before: string;
}

/** A file that is written in pieces, over several runs if need be. The whole file appears at its name at once. */
export interface PartFile {
  /** Undefined if nothing was begun. */
  readonly plan: Plan | undefined;
  /** Index of the last entry that the file has; undefined if it has none. */
  readonly last: bigint | undefined;
  /** Begins the file. The plan is on disk before the first line is. */
  begin(plan: Plan): Promise<void>;
  write(text: string): Promise<void>;
  /** Gives the file its form and its name. */
  finish(format: Format): Promise<void>;
  /** Lets other runs write the file. */
  close(): Promise<void>;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/**
 * Opens what an earlier run has left of `path`, or nothing. Returns undefined if that run was killed when the file was whole. Throws
 * `UsageError` if the file is there and nothing is left of a run, or if another run writes it now.
 */
export async function openPartFile(path: string): Promise<PartFile | undefined> {
  const unlock = lockFile(
    `${path}.lock`,
    (pid) => new UsageError(`process ${pid} writes ${path} now: wait for it, or name another file`),
  );
  try {
    const file = await openLocked(path, unlock);
    if (file === undefined) unlock();
    return file;
  } catch (error) {
    unlock();
    throw error;
  }
}

async function openLocked(path: string, unlock: () => void): Promise<PartFile | undefined> {
  const partPath = `${path}.part`;
  const planPath = `${path}.resume`;
  const plan = await readPlan(planPath);
  const hasPart = await exists(partPath);
  if (await exists(path)) {
    if (plan === undefined || hasPart)
      throw new UsageError(`${path} is there already: remove it, or name another file`);
    await rm(planPath);
    return undefined;
  }
  if (plan === undefined && hasPart)
    throw new UsageError(`${partPath} belongs to no export that can go on: remove it, or name another file`);
  let handle: FileHandle | undefined = plan && (await open(partPath, 'a+'));
  const last = handle && (await cutToLastLine(handle));
  return {
    plan,
    last,
    async begin(made) {
      await writeFile(`${planPath}.new`, JSON.stringify(made), { flush: true });
      await rename(`${planPath}.new`, planPath);
      handle = await open(partPath, 'a+');
    },
    async write(text) {
      await handle!.appendFile(text);
    },
    async finish(format) {
      await handle!.sync();
      await handle!.close();
      handle = undefined;
      if (format === 'parquet') await replaceByParquet(partPath, path);
      else await rename(partPath, path);
      await rm(planPath);
    },
    async close() {
      await handle?.close();
      handle = undefined;
      unlock();
    },
  };
}

/** The lines go before the file gets its name: a run that is killed in between begins anew, and the name never belongs to half a file. */
async function replaceByParquet(partPath: string, path: string): Promise<void> {
  const made = `${path}.part.parquet`;
  await rm(made, { force: true });
  await toParquet(partPath, made);
  const handle = await open(made, 'r+');
  await handle.sync();
  await handle.close();
  await rm(partPath);
  await rename(made, path);
}

async function readPlan(path: string): Promise<Plan | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as Plan;
  } catch {
    throw new UsageError(`${path} is not what an export has left: remove it, or name another file`);
  }
}

const NEWLINE = 10;
const BLOCK = 64 * 1024;

/**
 * Cuts off what a killed process left behind the last whole line, and returns the index of the entry in that line. After a crash of the
 * machine, blocks that were never written may hold anything: lines that are no event are cut off too.
 */
async function cutToLastLine(handle: FileHandle): Promise<bigint | undefined> {
  let end = await findNewline(handle, (await handle.stat()).size);
  while (end > 0) {
    const begin = await findNewline(handle, end - 1);
    const line = Buffer.alloc(end - begin);
    await handle.read(line, 0, line.length, begin);
    const sequence = sequenceOf(line.toString('utf8'));
    if (sequence !== undefined) {
      await handle.truncate(end);
      return sequence;
    }
    end = begin;
  }
  await handle.truncate(0);
  return undefined;
}

/** Returns the offset behind the last line feed in front of `end`, or 0. */
async function findNewline(handle: FileHandle, end: number): Promise<number> {
  const block = Buffer.alloc(BLOCK);
  for (let to = end; to > 0; ) {
    const from = Math.max(0, to - BLOCK);
    const { bytesRead } = await handle.read(block, 0, to - from, from);
    const at = block.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (at >= 0) return from + at + 1;
    to = from;
  }
  return 0;
}

function sequenceOf(line: string): bigint | undefined {
  try {
    const { metadata } = JSON.parse(line) as { readonly metadata: { readonly sequence: number } };
    return BigInt(metadata.sequence);
  } catch {
    return undefined;
  }
}
