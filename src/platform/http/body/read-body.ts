import type { IncomingMessage } from 'node:http';

/** Bytes read and dropped so that the sender hears the refusal; beyond them it is cut off. */
const MAX_DRAINED_BYTES = 4 * 1024 * 1024;

/** For hot handlers. Undefined: longer than `maxBytes`. Never resolves when the request breaks off, for nobody is left to answer. */
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
