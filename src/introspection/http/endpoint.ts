import type { IncomingMessage, ServerResponse } from 'node:http';
import { FORM_MEDIA_TYPE, type OAuthError } from '../../contracts/index.js';
import { MAX_FORM_BYTES, onForm, type Form, type FormProblem, type HotHandler } from '../../platform/http/index.js';
import { oauthRefusal, type Authenticator, type Credentials, type Refusal } from '../../registry/index.js';
import { INACTIVE, type Answer, type Introspect } from '../introspect.js';
import type { Recorder } from '../outcomes.js';
import type { RemoteAddress } from './remote-address.js';

/** Seconds. A node that cannot tell now has its lease back in one or two, or another node has. */
const RETRY_AFTER = '1';

/**
 * Milliseconds after which an address that failed too often hears so, and how many may be kept waiting: one that tries
 * again as soon as it is answered must not keep the node busy. Whoever has the right secret is not delayed.
 */
const HOLD_MS = 250;
const MAX_HELD = 1_000;

export interface EndpointOptions {
  readonly introspect: Introspect;
  readonly authenticate: Authenticator;
  readonly recorder: Recorder;
  readonly remoteAddress: RemoteAddress;
}

/** `POST /introspect` (RFC 7662) on a plain request and response: read, parse, ask, answer. */
export function createEndpoint({ introspect, authenticate, recorder, remoteAddress }: EndpointOptions): HotHandler {
  let held = 0;

  function refuse(res: ServerResponse, refusal: Refusal): void {
    if (refusal.code !== 'too-many-requests' || held === MAX_HELD) return sendRefusal(res, refusal);
    held++;
    setTimeout(() => {
      held--;
      sendRefusal(res, refusal);
    }, HOLD_MS);
  }

  function answerForm(req: IncomingMessage, res: ServerResponse, form: Form): void {
    const credentials = new RequestCredentials(req, form, remoteAddress);
    const token = form.get('token');
    if (token === undefined) {
      const { refusal } = authenticate(credentials);
      return refusal ? unauthenticated(res, refusal) : invalidRequest(res, 'token is missing');
    }
    const answer = introspect({
      token,
      hint: form.get('token_type_hint'),
      authenticate: () => authenticate(credentials),
    });
    if (answer instanceof Promise) void answer.then((later) => send(res, later, req.headers.authorization, refuse));
    else send(res, answer, req.headers.authorization, refuse);
  }

  function refuseForm(res: ServerResponse, problem: FormProblem): void {
    if (problem === 'not-a-form')
      return invalidRequest(res, `the body must be ${FORM_MEDIA_TYPE}, without a Content-Encoding`);
    if (problem === 'malformed')
      return invalidRequest(res, 'the form is malformed, repeats a parameter or has too many');
    recorder.count('too-large');
    const description = `the body is over ${MAX_FORM_BYTES} bytes`;
    sendError(res, 413, { error: 'invalid_request', error_description: description }, { connection: 'close' });
  }

  function invalidRequest(res: ServerResponse, description: string): void {
    recorder.count('invalid-request');
    sendError(res, 400, { error: 'invalid_request', error_description: description });
  }

  function unauthenticated(res: ServerResponse, refusal: Refusal): void {
    recorder.count('unauthenticated');
    refuse(res, refusal);
  }

  return (req, res) => {
    if (req.method !== 'POST') return sendError(res, 405, { error: 'invalid_request' }, { allow: 'POST' });
    onForm(req, (form) => (typeof form === 'string' ? refuseForm(res, form) : answerForm(req, res, form)));
  };
}

type Refuse = (res: ServerResponse, refusal: Refusal) => void;

/** The address is read only when authentication fails. */
class RequestCredentials implements Credentials {
  readonly authorization: string | undefined;
  readonly form: Form;
  readonly #req: IncomingMessage;
  readonly #addressOf: RemoteAddress;

  constructor(req: IncomingMessage, form: Form, addressOf: RemoteAddress) {
    this.authorization = req.headers.authorization;
    this.form = form;
    this.#req = req;
    this.#addressOf = addressOf;
  }

  get remoteAddress(): string {
    return this.#addressOf(this.#req);
  }
}

function send(res: ServerResponse, answer: Answer, authorization: string | undefined, refuse: Refuse): void {
  switch (answer.kind) {
    case 'decided':
      return sendDecided(res, answer.body, answer.bytes);
    case 'undecided':
      res.writeHead(503, { 'retry-after': RETRY_AFTER, 'cache-control': 'no-store', 'content-length': '0' });
      res.end();
      return undefined;
    case 'unauthenticated':
      return refuse(res, answer.refusal);
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
  if (!/^bearer /i.test(authorization ?? '')) return sendDecided(res, INACTIVE, INACTIVE.length);
  sendError(
    res,
    401,
    { error: 'insufficient_scope' },
    { 'www-authenticate': 'Bearer realm="rescind", error="insufficient_scope"' },
  );
}

function sendRefusal(res: ServerResponse, refusal: Refusal): void {
  const { status, headers, body } = oauthRefusal(refusal);
  sendError(res, status, body, headers);
}

function sendError(
  res: ServerResponse,
  status: number,
  error: OAuthError,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendJson(res, status, JSON.stringify(error), headers);
}

/** Raw header pairs need no object a call; a body of ASCII is written as such, which spares a conversion. */
function sendDecided(res: ServerResponse, body: string, bytes: number): void {
  res.writeHead(200, [
    'content-type',
    'application/json',
    'cache-control',
    'no-store',
    'x-content-type-options',
    'nosniff',
    'content-length',
    String(bytes),
  ]);
  res.end(body, bytes === body.length ? 'latin1' : 'utf8');
}

/** A string goes out in one write with the headers, a Buffer in a `writev` of two. */
function sendJson(res: ServerResponse, status: number, body: string, headers?: Readonly<Record<string, string>>): void {
  res.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  res.end(body);
}
