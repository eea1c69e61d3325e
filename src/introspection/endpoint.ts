import type { IncomingMessage, ServerResponse } from 'node:http';
import { FORM_MEDIA_TYPE, type OAuthError } from '../contracts/index.js';
import type { HotHandler } from '../platform/index.js';
import { oauthRefusal, type Authenticator, type Refusal } from '../registry/index.js';
import { parseForm } from './form.js';
import { INACTIVE, type Answer, type Introspect } from './introspect.js';
import type { Recorder } from './outcomes.js';

/** Bytes of a request; longer ones are answered 413. */
const MAX_BODY_BYTES = 64 * 1024;

/** Bytes that are read and dropped so that the sender hears its 413; a sender of more is cut off. */
const MAX_DRAINED_BYTES = 4 * 1024 * 1024;

/** Seconds. A node that cannot tell now has its lease back in one or two, or another node has. */
const RETRY_AFTER = '1';

export interface EndpointOptions {
  readonly introspect: Introspect;
  readonly authenticate: Authenticator;
  readonly recorder: Recorder;
}

/** `POST /introspect` (RFC 7662) on a plain request and response: read, parse, ask, answer. */
export function createEndpoint({ introspect, authenticate, recorder }: EndpointOptions): HotHandler {
  function answerForm(req: IncomingMessage, res: ServerResponse, body: Buffer): void {
    const form = parseForm(body);
    if (!form) return invalidRequest(res, 'the form is malformed or repeats a parameter');
    const credentials = { authorization: req.headers.authorization, form, remoteAddress: req.socket.remoteAddress ?? '' };
    const token = form.get('token');
    if (token === undefined) {
      const { refusal } = authenticate(credentials);
      return refusal ? unauthenticated(res, refusal) : invalidRequest(res, 'token is missing');
    }
    const answer = introspect({ token, hint: form.get('token_type_hint'), authenticate: () => authenticate(credentials) });
    if (answer instanceof Promise) void answer.then((later) => send(res, later, req.headers.authorization));
    else send(res, answer, req.headers.authorization);
  }

  function invalidRequest(res: ServerResponse, description: string): void {
    recorder.count('invalid-request');
    sendError(res, 400, { error: 'invalid_request', error_description: description });
  }

  function unauthenticated(res: ServerResponse, refusal: Refusal): void {
    recorder.count('unauthenticated');
    sendRefusal(res, refusal);
  }

  return (req, res) => {
    if (req.method !== 'POST') return sendError(res, 405, { error: 'invalid_request' }, { allow: 'POST' });
    if (!isForm(req)) return invalidRequest(res, `the body must be ${FORM_MEDIA_TYPE}`);
    readBody(req, (body) => {
      if (body) return answerForm(req, res, body);
      recorder.count('too-large');
      sendError(res, 413, { error: 'invalid_request', error_description: `the body is over ${MAX_BODY_BYTES} bytes` }, { connection: 'close' });
    });
  };
}

/** The media type alone decides (RFC 9110, section 8.3.1); an encoded body is not decoded. */
function isForm({ headers }: IncomingMessage): boolean {
  const type = headers['content-type'];
  if (type === undefined || headers['content-encoding'] !== undefined) return false;
  return type === FORM_MEDIA_TYPE || type.split(';', 1)[0]!.trim().toLowerCase() === FORM_MEDIA_TYPE;
}

/** Calls back once, with undefined for a body that is too long; not at all when the request breaks off. */
function readBody(req: IncomingMessage, done: (body: Buffer | undefined) => void): void {
  let chunks: Buffer[] = [];
  let size = 0;
  let answered = false;
  req.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    else chunks = [];
    if (size > MAX_DRAINED_BYTES && !answered) {
      answered = true;
      done(undefined);
    }
  });
  req.on('end', () => {
    if (answered) return;
    answered = true;
    done(size > MAX_BODY_BYTES ? undefined : chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
  });
}

function send(res: ServerResponse, answer: Answer, authorization: string | undefined): void {
  switch (answer.kind) {
    case 'decided':
      return sendJson(res, 200, answer.body);
    case 'undecided':
      res.writeHead(503, { 'retry-after': RETRY_AFTER, 'cache-control': 'no-store', 'content-length': '0' });
      res.end();
      return undefined;
    case 'unauthenticated':
      return sendRefusal(res, answer.refusal);
    case 'no-role':
      return sendNoRole(res, authorization);
    default:
      return answer satisfies never;
  }
}

/**
 * RFC 7662, section 2.3 answers a bearer token of insufficient privilege with 401 and the form of RFC 6750. A client that
 * authenticated as itself asked properly and merely may not know (section 2.2).
 */
function sendNoRole(res: ServerResponse, authorization: string | undefined): void {
  if (!/^bearer /i.test(authorization ?? '')) return sendJson(res, 200, INACTIVE);
  sendError(res, 401, { error: 'insufficient_scope' }, { 'www-authenticate': 'Bearer realm="rescind", error="insufficient_scope"' });
}

function sendRefusal(res: ServerResponse, refusal: Refusal): void {
  const { status, headers, body } = oauthRefusal(refusal);
  sendError(res, status, body, headers);
}

function sendError(res: ServerResponse, status: number, error: OAuthError, headers: Readonly<Record<string, string>> = {}): void {
  sendJson(res, status, JSON.stringify(error), headers);
}

/** A string goes out in one write with the headers, a Buffer in a `writev` of two. */
function sendJson(res: ServerResponse, status: number, body: string, headers?: Readonly<Record<string, string>>): void {
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', 'content-length': Buffer.byteLength(body), ...headers });
  res.end(body);
}
