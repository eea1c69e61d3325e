import { setTimeout as delay } from 'node:timers/promises';
import { FoundWrong } from '../wrong.js';

/** How long one answer may take in all, so that a log that drips cannot hold the check. */
const TIMEOUT_MS = 30_000;
/** A busy or restarting log is asked again, this often at most. */
const TRIES = 4;
const RETRY_MS = 250;
const BUSY = new Set([429, 502, 503, 504]);

export interface PartReaderOptions {
  /** Prefix of the log, ending with a slash. */
  readonly url: string;
  readonly bearer: string | undefined;
  readonly timeoutMs?: number | undefined;
  /** Ends requests that nobody waits for any more. */
  readonly signal: AbortSignal;
}

export interface ReadPart {
  /** Reads a served part of at most `maxBytes`. Throws `FoundWrong` with its path if it cannot be read or is longer. */
  (path: string, maxBytes: number): Promise<Buffer>;
  /** Reads a part that a log may lack; undefined if it does. */
  ifThere(path: string, maxBytes: number): Promise<Buffer | undefined>;
}

export function createPartReader({ url, bearer, timeoutMs = TIMEOUT_MS, signal }: PartReaderOptions): ReadPart {
  const headers = {
    // An encoding could make a few bytes many.
    'accept-encoding': 'identity',
    ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
  };

  async function readOnce(path: string, maxBytes: number): Promise<Buffer | Failure> {
    const slow = AbortSignal.timeout(timeoutMs);
    try {
      // A redirect would carry the bearer to whatever address it names.
      const response = await fetch(url + path, { headers, redirect: 'error', signal: AbortSignal.any([signal, slow]) });
      if (response.status !== 200) {
        await response.body?.cancel();
        return {
          mayPass: BUSY.has(response.status),
          isAbsent: response.status === 404,
          problem: `answered with ${statusText(response.status, bearer)}`,
        };
      }
      return (await readBody(response, maxBytes)) ?? { mayPass: false, problem: `is longer than ${maxBytes} bytes` };
    } catch (error) {
      if (slow.aborted) return { mayPass: false, problem: `did not end within ${timeoutMs / 1_000} s` };
      return { mayPass: true, problem: `cannot be read: ${reasonOf(error)}` };
    }
  }

  async function read(path: string, maxBytes: number): Promise<Buffer | Failure> {
    for (let nth = 1; ; nth += 1) {
      const answer = await readOnce(path, maxBytes);
      if (answer instanceof Uint8Array || !answer.mayPass || nth === TRIES || signal.aborted) return answer;
      await delay(RETRY_MS * 2 ** nth, undefined, { signal }).catch(() => undefined);
    }
  }

  const orThrow = (path: string, answer: Buffer | Failure): Buffer => {
    if (answer instanceof Uint8Array) return answer;
    throw new FoundWrong(path, answer.problem);
  };

  return Object.assign(async (path: string, maxBytes: number) => orThrow(path, await read(path, maxBytes)), {
    async ifThere(path: string, maxBytes: number) {
      const answer = await read(path, maxBytes);
      return 'isAbsent' in answer && answer.isAbsent ? undefined : orThrow(path, answer);
    },
  });
}

interface Failure {
  /** Whether the same request may succeed later. */
  readonly mayPass: boolean;
  readonly isAbsent?: boolean;
  readonly problem: string;
}

/** Returns undefined for a body that is longer, without reading the rest. */
async function readBody(response: Response, maxBytes: number): Promise<Buffer | undefined> {
  if (response.body === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return chunks.length === 1
    ? Buffer.from(chunks[0]!.buffer, chunks[0]!.byteOffset, chunks[0]!.length)
    : Buffer.concat(chunks, length);
}

function statusText(status: number, bearer: string | undefined): string {
  if (status === 401)
    return bearer === undefined ? '401: this log wants a bearer' : '401: the log does not know the bearer';
  return status === 403 ? '403: the bearer may not read this log' : String(status);
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: unknown; message?: unknown }; message?: unknown };
  return String(cause?.code ?? cause?.message ?? message);
}
