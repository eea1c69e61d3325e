import type { IncomingMessage } from 'node:http';

/** Bytes of a refused body that are read and dropped, so that the sender sees the refusal. Beyond them the sender is cut off. */
const MAX_DRAINED_BYTES = 4 * 1024 * 1024;

/**
 * Reads a body for a hot handler and calls `done` once, with undefined if the body is longer than `maxBytes`. Never calls it if the request
 * breaks off, because nobody is left to answer.
 */
export function onBody(req: IncomingMessage, maxBytes: number, done: (body: Buffer | undefined) => void): void {
  let chunks: Buffer[] = [];
  let size = 0;
  let isDone = false;
  req.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else chunks = [];
    if (size > MAX_DRAINED_BYTES && !isDone) {
      isDone = true;
      done(undefined);
    }
  });
  req.on('end', () => {
    if (isDone) return;
    isDone = true;
    done(size > maxBytes ? undefined : chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
  });
}

/** Reads a body as {@link onBody} does. */
export const readBody = (req: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> =>
  new Promise((resolve) => onBody(req, maxBytes, resolve));
