import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the names in a directory durable: a rename is lost with the machine's power until then. */
export const syncDirectory = syncFile;

/** Creates `path` below `root` with its parents, and makes their names durable. */
export async function makeDirectories(root: string, path: string): Promise<void> {
  const firstMade = await mkdir(path, { recursive: true, mode: 0o700 });
  if (firstMade === undefined) return;
  for (let made = path; made.length > root.length; made = dirname(made)) await syncDirectory(dirname(made));
}

export interface Hashed {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export async function hashFile(path: string, signal?: AbortSignal): Promise<Hashed> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(
    createReadStream(path),
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        hash.update(chunk);
      }
    },
    ...(signal ? [{ signal }] : []),
  );
  return { bytes, sha256: hash.digest('hex') };
}
