import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

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
