import { open, rm, type FileHandle } from 'node:fs/promises';
import { segmentPath, syncDirectory, type Segment } from './spool-directory.js';
import { formatLine } from './spool-line.js';
import type { WaitingEvent } from './waiting-event.js';

export interface SegmentFilesOptions {
  readonly directory: string;
  /** The segments on disk, oldest first; kept up to date here. */
  readonly segments: Segment[];
  /** Size from which on events go to a new segment. */
  readonly segmentBytes: number;
  readonly onProblem: (error: unknown) => void;
}

/** Files of a spool. One call at a time. */
export interface SegmentFiles {
  /** Resolves when the events survive a loss of power (fdatasync). After a rejection none of them is on disk. */
  append(events: readonly WaitingEvent[]): Promise<void>;
  /** Deletes segments from the front only, so that a gap in the numbers always means damage. */
  removeUpTo(seq: number): Promise<void>;
  close(): Promise<void>;
}

export function createSegmentFiles({
  directory,
  segments,
  segmentBytes,
  onProblem,
}: SegmentFilesOptions): SegmentFiles {
  /** The segment that is written to. */
  let active: { readonly segment: Segment; readonly file: FileHandle } | undefined;

  async function close(): Promise<void> {
    const file = active?.file;
    active = undefined;
    await file?.close();
  }

  async function openSegment(first: number): Promise<NonNullable<typeof active>> {
    await close();
    const segment: Segment = { path: segmentPath(directory, first), first, bytes: 0, last: first - 1 };
    const file = await open(segment.path, 'w', 0o600);
    try {
      await syncDirectory(directory);
    } catch (error) {
      await file.close();
      throw error;
    }
    segments.push(segment);
    active = { segment, file };
    return active;
  }

  /** Undoes a failed write. Part of it may be in the file and must not come back as events. */
  async function abandon(segment: Segment, file: FileHandle): Promise<void> {
    try {
      await file.truncate(segment.bytes);
    } catch (error) {
      onProblem(error);
    }
    await close().catch(onProblem);
    if (segment.bytes > 0) return;
    segments.splice(segments.indexOf(segment), 1);
    await rm(segment.path, { force: true }).catch(onProblem);
  }

  return {
    async append(events) {
      const { segment, file } =
        active === undefined || active.segment.bytes >= segmentBytes ? await openSegment(events[0]!.seq) : active;
      const bytes = Buffer.from(events.map(formatLine).join(''));
      try {
        await writeAll(file, bytes, segment.bytes);
        await file.datasync();
      } catch (error) {
        await abandon(segment, file);
        throw error;
      }
      segment.bytes += bytes.length;
      segment.last = events.at(-1)!.seq;
    },
    async removeUpTo(seq) {
      while (segments.length > 0 && segments[0]!.last <= seq) {
        const segment = segments.shift()!;
        if (active?.segment === segment) await close();
        await rm(segment.path, { force: true });
      }
    },
    close,
  };
}

async function writeAll(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, at + written);
    written += bytesWritten;
  }
}
