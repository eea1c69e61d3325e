import type { IncomingMessage } from 'node:http';
import { parseObject } from './wire.js';

/** Largest answer in bytes; a longer answer does not come from Rescind. */
export const MAX_ANSWER_BYTES = 256 * 1024;

export interface KeptAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: Record<string, unknown> | undefined;
}

/** Posts over one connection, which is kept open. Rejects if no answer comes. */
export type KeptConnection = (
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
) => Promise<KeptAnswer>;

/**
 * Opens a kept connection; resolves with undefined outside Node. One connection leads to one process, even if several share an address.
 * Leases need that: every order would wait for a grant at each of them until the grant ended by time. `fetch` does not promise it.
 */
export async function openKeptConnection(protocol: string): Promise<KeptConnection | undefined> {
  const http = protocol === 'https:' ? import('node:https') : import('node:http');
  const opened = await http.catch(() => undefined);
  if (opened === undefined) return undefined;
  const agent = new opened.Agent({ keepAlive: true, maxSockets: 1 });
  return (url, headers, body, signal) =>
    new Promise((resolve, reject) => {
      const request = opened.request(
        url,
        { method: 'POST', agent, headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) }, signal },
        (response) => {
          readText(response).then(
            (text) =>
              resolve({ status: response.statusCode ?? 0, headers: headersOf(response), body: parseObject(text) }),
            reject,
          );
        },
      );
      request.on('error', reject);
      request.end(body);
    });
}

const headersOf = ({ headers }: IncomingMessage): KeptAnswer['headers'] => ({
  get(name) {
    const value = headers[name];
    return typeof value === 'string' ? value : null;
  },
});

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new RangeError(`an answer of over ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
