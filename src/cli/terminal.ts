import type { Readable, Writable } from 'node:stream';

/** Where a command reads from and writes to. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: Writable & { readonly isTTY?: boolean };
  readonly err: Writable & { readonly isTTY?: boolean };
  readonly stdin: Readable & { readonly isTTY?: boolean };
}

/** Exit code of a command that was told to end before it was done, as a shell has it for Ctrl-C. */
export const INTERRUPTED = 130;

/** What somebody typed is at fault: told in one line, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}
