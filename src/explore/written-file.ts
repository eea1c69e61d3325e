import { Readable } from 'node:stream';

/** An answer that is written as a file. */
export interface WrittenFile {
  readonly contentType: string;
  readonly fileName: string;
  readonly body: Readable;
}

export const CSV_CONTENT_TYPE = 'text/csv; charset=utf-8; header=present';

/** A file that is not read to its end in this time is cut off. */
const FILE_TIMEOUT_MS = 600_000;
/** Bytes that wait for the reader before more is asked for. */
const BUFFERED_BYTES = 65_536;

/**
 * Streams texts while they are read. A failure, or a reader that is too slow, cuts the body off. `end` runs when the body is over, however it ends.
 */
export function streamTexts(texts: AsyncIterable<string> | Iterable<string>, end: () => void): Readable {
  const body = Readable.from(texts, { objectMode: false, highWaterMark: BUFFERED_BYTES });
  const timer = setTimeout(() => body.destroy(new Error('the file was not read in time')), FILE_TIMEOUT_MS);
  timer.unref();
  // The reader notices a failure as a body that was cut off.
  body.on('error', () => undefined);
  body.once('close', () => {
    clearTimeout(timer);
    end();
  });
  return body;
}
