import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** The environment and the streams of a command. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly err: Writable & { readonly isTTY?: boolean };
  readonly stdin: Readable & { readonly isTTY?: boolean };
}

/** A mistake in what a person typed. It is reported in one line, with an exit code of its own. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}

/** Writes and waits until the reader has room again, so that an answer of any length needs little memory. */
export async function write(out: Writable, text: string): Promise<void> {
  if (!out.write(text)) await once(out, 'drain');
}
