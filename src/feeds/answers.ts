import type { IncomingMessage, ServerResponse } from 'node:http';
import { oauthRefusal, type OAuthRefusal, type Refusal } from '../registry/index.js';

/** Seconds. A node regains its lease in one or two, or another node behind the same address answers. */
export const RETRY_AFTER_S = 1;

/** Returns the address of a request, for the throttle of failed authentication. */
export type RemoteAddress = (req: Pick<IncomingMessage, 'headers' | 'socket'>) => string;

export type Headers = Readonly<Record<string, string>>;

export function sendJson(res: ServerResponse, status: number, body: object | string, headers: Headers = {}): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  res.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  res.end(text);
}

export const sendInvalid = (res: ServerResponse, description: string, status = 400, headers: Headers = {}): void =>
  sendJson(res, status, { error: 'invalid_request', error_description: description }, headers);

export const sendUnavailable = (res: ServerResponse, error: string): void =>
  sendJson(res, 503, { error }, { 'retry-after': String(RETRY_AFTER_S) });

export const sendRefusal = (res: ServerResponse, { status, headers, body }: OAuthRefusal): void =>
  sendJson(res, status, body, headers);

export const sendUnauthenticated = (res: ServerResponse, refusal: Refusal): void =>
  sendRefusal(res, oauthRefusal(refusal));
