import type { Readable, Writable } from 'node:stream';

/** The environment and the streams of a command. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: Writable & { readonly isTTY?: boolean };
  readonly err: Writable & { readonly isTTY?: boolean };
  readonly stdin: Readable & { readonly isTTY?: boolean };
}

/** Exit code of a command that was interrupted, as shells report Ctrl-C. */
export const INTERRUPTED = 130;

/** Exit code of a command whose reader has gone away, as shells report SIGPIPE: `rescind … | head`. */
export const UNREAD = 141;

/** A mistake in what a person typed. It is reported in one line, with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}
