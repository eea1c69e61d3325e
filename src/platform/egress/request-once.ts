import { request as requestHttp, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { EgressError } from './egress-error.js';

export interface RequestLimits {
  /** Milliseconds for look-up of the name, connection and TLS. */
  readonly connectMs: number;
  /** Milliseconds from there until the header of the answer. */
  readonly answerMs: number;
  /** Milliseconds from the beginning until the end of the body. */
  readonly totalMs: number;
  /** Bytes of the body that are read. */
  readonly maxBytes: number;
  /** Says whether a longer body makes the request fail, or its rest is not read. */
  readonly beyond: 'fail' | 'cut';
}

export interface OutgoingRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Undefined: the system's, unchecked. */
  readonly lookup: LookupFunction | undefined;
  /** PEM certificates that replace those that Node trusts. */
  readonly ca?: readonly string[] | undefined;
  readonly limits: RequestLimits;
  readonly signal?: AbortSignal;
}

export interface Received {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whether the body was longer. */
  readonly isCut: boolean;
}

/** Bytes of an answer's header. */
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * Sends one request on a connection of its own, which ends with it, and reads the answer within bounds. Follows no redirect. Rejects with an
 * {@link EgressError}.
 */
export function requestOnce(request: OutgoingRequest): Promise<Received> {
  const { url, method, headers, body, lookup, ca, limits, signal } = request;
  return new Promise((resolve, reject) => {
    let phase: NodeJS.Timeout | undefined;
    const end = (settle: () => void): void => {
      clearTimeout(phase);
      clearTimeout(total);
      settle();
      outgoing.destroy();
    };
    const fail = (error: EgressError): void => end(() => reject(error));
    const within = (ms: number, what: string): void => {
      clearTimeout(phase);
      phase = setTimeout(() => fail(new EgressError('slow', `no ${what} in ${ms} ms`)), ms);
    };
    const total = setTimeout(
      () => fail(new EgressError('slow', `no end of the answer in ${limits.totalMs} ms`)),
      limits.totalMs,
    );
    const isTls = url.protocol === 'https:';
    const outgoing = (isTls ? requestHttps : requestHttp)(url, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }) },
      agent: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      ...(lookup === undefined ? {} : { lookup }),
      ...(ca === undefined ? {} : { ca: [...ca] }),
      ...(signal === undefined ? {} : { signal }),
    });
    within(limits.connectMs, 'connection');
    outgoing.on('socket', (socket) =>
      socket.once(isTls ? 'secureConnect' : 'connect', () => within(limits.answerMs, 'answer')),
    );
    outgoing.on('error', (error) => fail(toEgressError(error)));
    outgoing.on('response', (response) => {
      clearTimeout(phase);
      readBody(response, limits).then(
        (read) => end(() => resolve({ status: response.statusCode!, headers: response.headers, ...read })),
        (error: Error) => fail(toEgressError(error)),
      );
    });
    outgoing.end(body);
  });
}

function readBody(
  response: IncomingMessage,
  { maxBytes, beyond }: RequestLimits,
): Promise<Pick<Received, 'body' | 'isCut'>> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= maxBytes) return;
      response.destroy();
      if (beyond === 'fail') reject(new EgressError('too-large', `over ${maxBytes} bytes`));
      else resolve({ body: Buffer.concat(chunks).subarray(0, maxBytes), isCut: true });
    });
    response.on('error', reject);
    response.on('end', () => resolve({ body: Buffer.concat(chunks), isCut: false }));
  });
}

const toEgressError = (error: Error): EgressError =>
  error instanceof EgressError ? error : new EgressError('unreachable', error.message);
