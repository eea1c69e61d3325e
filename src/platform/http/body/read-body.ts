import type { IncomingMessage } from 'node:http';

/** Bytes of a refused body that are read and dropped, so that the sender sees the refusal. Beyond them the sender is cut off. */
const MAX_DRAINED_BYTES = 4 * 1024 * 1024;

/**
 * Reads a body for a hot handler. Undefined if it is longer than `maxBytes`. Never resolves if the request breaks off, because nobody is
 * left to answer.
 */
export function readBody(req: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    let chunks: Buffer[] = [];
    let size = 0;
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else chunks = [];
      if (size > MAX_DRAINED_BYTES) resolve(undefined);
    });
    req.on('end', () => resolve(size > maxBytes ? undefined : Buffer.concat(chunks)));
  });
}
