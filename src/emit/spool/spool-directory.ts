import { closeSync, openSync, mkdirSync, readFileSync, readSync, readdirSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { parseLine, parseNumber, splitLines } from './spool-line.js';

const SEGMENT = /^(\d{16})\.events$/;
export const DELIVERED_FILE = 'delivered';

export interface Segment {
  readonly path: string;
  /** `seq` of the segment's first event. */
  readonly first: number;
  /** Bytes that are known to hold events; for a segment of an earlier process, its size. */
  bytes: number;
  /** `seq` of the segment's last event. */
  last: number;
}

/** The state that an earlier process left in the directory. */
export interface Found {
  readonly segments: Segment[];
  /** `seq` up to which everything is delivered. */
  readonly delivered: number;
  /** `seq` of the newest event; damaged events count. */
  readonly last: number;
  /** When the oldest event was accepted, in milliseconds since the epoch. */
  readonly oldestAt: number | undefined;
}

export const segmentPath = (directory: string, first: number): string =>
  join(directory, `${String(first).padStart(16, '0')}.events`);

export function makeDirectory(directory: string): void {
  // Only the owner may read it, because events name people.
  mkdirSync(directory, { recursive: true, mode: 0o700 });
}

/** Deletes segments that are delivered or empty, and reads the last segment to find its end, which is recorded nowhere. */
export function scanDirectory(directory: string): Found {
  const firsts = readdirSync(directory)
    .map((name) => SEGMENT.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((one, other) => one - other);
  const segments = firsts.map((first, at): Segment => {
    const path = segmentPath(directory, first);
    return { path, first, bytes: statSync(path).size, last: (firsts[at + 1] ?? 0) - 1 };
  });
  const newest = segments.at(-1);
  if (newest !== undefined) newest.last = lastOf(newest);
  const oldest = segments[0];
  const stated = readDelivered(directory);
  // Segments are deleted oldest first, so everything before the first one left is delivered, whatever the file says.
  const delivered = oldest === undefined ? stated : Math.max(stated, oldest.first - 1);
  const kept = segments.filter((segment) => {
    if (segment.last > delivered && segment.last >= segment.first) return true;
    rmSync(segment.path, { force: true });
    return false;
  });
  return {
    segments: kept,
    delivered,
    last: Math.max(delivered, kept.at(-1)?.last ?? 0),
    oldestAt: kept[0] === undefined ? undefined : acceptedAtOf(kept[0].path),
  };
}

function readDelivered(directory: string): number {
  try {
    return parseNumber(readFileSync(join(directory, DELIVERED_FILE))) ?? 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

/**
 * Finds the `seq` of a segment's last event. A process killed during a write leaves a line without its end; no caller was told that this
 * event is safe, so it does not count. A whole line that is damaged was an event, and counts.
 */
function lastOf({ path, first }: Segment): number {
  let last = first - 1;
  for (const { line } of splitLines(readFileSync(path)).lines) last = parseLine(line)?.seq ?? last + 1;
  return last;
}

const PREFIX_BYTES = 64;

function acceptedAtOf(path: string): number | undefined {
  const fd = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(PREFIX_BYTES);
    const read = readSync(fd, buffer, 0, PREFIX_BYTES, 0);
    const digits = /^[0-9a-f]{8} \d+ (\d{1,16}) /.exec(buffer.toString('latin1', 0, read))?.[1];
    return digits === undefined ? undefined : Number(digits);
  } finally {
    closeSync(fd);
  }
}

/** Synchronizes a directory: a new file survives a loss of power only if its directory was synchronized too (fsync(2)). */
export async function syncDirectory(directory: string): Promise<void> {
  try {
    const handle = await open(directory, 'r');
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    // Windows cannot open a directory; its file system writes the entry with the file.
    if (process.platform !== 'win32') throw error;
  }
}

/** Reads at most `length` bytes from `offset`; nothing if the file is gone. */
export async function readPart(path: string, offset: number, length: number): Promise<Buffer> {
  let handle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
  try {
    const buffer = Buffer.allocUnsafe(length);
    const { bytesRead } = await handle.read(buffer, 0, length, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
