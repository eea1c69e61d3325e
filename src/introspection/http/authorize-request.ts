import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ActiveIntrospection } from '../../contracts/index.js';
import type { HotHandler } from '../../platform/http/index.js';
import type { Metrics } from '../../platform/observe/index.js';
import type { Authenticator } from '../../registry/index.js';
import { INACTIVE, type Answer, type Introspect } from '../introspect.js';
import type { RemoteAddress } from './remote-address.js';

export const AUTHORIZE_REQUEST_PATH = '/authorize-request';

/** RFC 6750, 2.1. A token in a form or a query is not taken: the proxy would have to read bodies, and logs would hold tokens. */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
/** RFC 6749, 3.3. */
const SCOPES = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;
const METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'POST', 'HEAD']);
/** Seconds, as `/introspect` says it. */
const RETRY_AFTER = '1';

export interface AuthorizeRequestOptions {
  readonly introspect: Introspect;
  readonly authenticate: Authenticator;
  readonly metrics: Metrics;
  readonly remoteAddress: RemoteAddress;
}

/** The proxy's configuration for the location that is asked for. A client's headers of these names never reach Rescind. */
interface Asked {
  readonly key: string;
  readonly resource: string | undefined;
  readonly scopes: readonly string[];
}

type Outcome =
  | 'active'
  | 'no-token'
  | 'inactive'
  | 'bound'
  | 'other-resource'
  | 'insufficient-scope'
  | 'undecided'
  | 'misconfigured'
  | 'wrong-method';

/**
 * `/authorize-request`: forward auth for a proxy that can forward a header and read a status. The decision is that of `/introspect`, for a
 * token that is presented for access; only what the location demands (resource, scopes) is compared here, with the answer.
 */
export function createAuthorizeRequest({
  introspect,
  authenticate,
  metrics,
  remoteAddress,
}: AuthorizeRequestOptions): HotHandler {
  const outcomes = metrics.counter(
    'rescind_authorize_requests_total',
    'Calls of /authorize-request, by how they ended',
    ['outcome'],
  );

  function end(res: ServerResponse, outcome: Outcome, status: number, headers: readonly string[], body = ''): void {
    outcomes.inc({ outcome });
    res.writeHead(status, [
      'cache-control',
      'no-store',
      'x-content-type-options',
      'nosniff',
      'content-length',
      String(Buffer.byteLength(body)),
      ...headers,
    ]);
    res.end(body);
  }
  const endWithError = (
    res: ServerResponse,
    outcome: Outcome,
    status: number,
    error: string,
    description: string,
    headers: readonly string[] = [],
  ): void =>
    end(
      res,
      outcome,
      status,
      ['content-type', 'application/json', ...headers],
      JSON.stringify({ error, error_description: description }),
    );
  const challenge = (
    res: ServerResponse,
    outcome: Outcome,
    status: 401 | 403,
    error: string,
    description: string,
    scopes: readonly string[],
  ): void => endWithError(res, outcome, status, error, description, ['www-authenticate', challengeOf(error, scopes)]);
  /** No 401: the client's token is not what is wrong, and the client cannot mend it. RFC 6749, 5.2 has 400 for credentials beside Authorization. */
  const misconfigured = (res: ServerResponse, description: string): void =>
    endWithError(res, 'misconfigured', 400, 'invalid_client', description);

  function send(res: ServerResponse, answer: Answer, asked: Asked): void {
    switch (answer.kind) {
      case 'decided':
        return answer.body === INACTIVE
          ? challenge(res, 'inactive', 401, 'invalid_token', 'the token is not active here', asked.scopes)
          : judge(res, JSON.parse(answer.body) as ActiveIntrospection, asked);
      case 'undecided':
        return endWithError(res, 'undecided', 503, 'temporarily_unavailable', 'this node cannot say; ask again', [
          'retry-after',
          RETRY_AFTER,
        ]);
      case 'unauthenticated':
      case 'no-role':
        return misconfigured(res, 'X-Rescind-Key must be the key of a caller with the role introspect');
      default:
        return answer satisfies never;
    }
  }

  function judge(res: ServerResponse, token: ActiveIntrospection, { resource, scopes }: Asked): void {
    // RFC 9449, 7.2 and RFC 8705, 3: a bound token without a proof is somebody else's. Nobody checks a proof here.
    if (token.cnf !== undefined)
      return challenge(
        res,
        'bound',
        401,
        'invalid_token',
        'the token is bound to a key, which is not checked here',
        scopes,
      );
    if (resource !== undefined && ![token.aud].flat().includes(resource))
      return challenge(res, 'other-resource', 401, 'invalid_token', 'the token is for another resource', scopes);
    const granted = new Set((token.scope ?? '').split(' '));
    if (!scopes.every((scope) => granted.has(scope)))
      return challenge(res, 'insufficient-scope', 403, 'insufficient_scope', 'the token lacks a scope', scopes);
    // Each header always, also empty: it replaces one of that name that the client sent.
    end(res, 'active', 200, [
      'x-rescind-iss',
      headerText(token.iss),
      'x-rescind-sub',
      headerText(token.sub),
      'x-rescind-client-id',
      headerText(token.client_id),
      'x-rescind-scope',
      headerText(token.scope),
    ]);
  }

  return (req, res) => {
    if (isExact(req.url) && !METHODS.has(req.method))
      return endWithError(res, 'wrong-method', 405, 'invalid_request', 'use GET or POST', ['allow', 'GET, HEAD, POST']);
    const token = BEARER.exec(req.headers.authorization ?? '')?.[1];
    const asked = readAsked(req);
    if (token === undefined)
      return end(
        res,
        'no-token',
        401,
        ['content-type', 'application/json', 'www-authenticate', challengeOf(undefined, asked?.scopes ?? [])],
        '{"error":"unauthorized"}',
      );
    if (asked === undefined)
      return misconfigured(
        res,
        'the proxy must send X-Rescind-Key once, and X-Rescind-Resource and X-Rescind-Require-Scope at most once and well formed',
      );
    const credentials = { authorization: `Bearer ${asked.key}`, remoteAddress: remoteAddress(req) };
    const answer = introspect({
      token,
      hint: undefined,
      authenticate: () => authenticate(credentials),
      forAccess: true,
    });
    if (answer instanceof Promise) return void answer.then((later) => send(res, later, asked));
    return send(res, answer, asked);
  };
}

/** Below the path, where Envoy puts the path that its client asked for, any method may come: Envoy hands on the client's. */
const isExact = (url = ''): boolean => url.split('?', 1)[0] === AUTHORIZE_REQUEST_PATH;

function readAsked({ headersDistinct }: IncomingMessage): Asked | undefined {
  const one = (name: string): string | undefined | null => {
    const values = headersDistinct[name];
    return values === undefined ? undefined : values.length === 1 ? values[0]! : null;
  };
  const [key, resource, scope] = [one('x-rescind-key'), one('x-rescind-resource'), one('x-rescind-require-scope')];
  if (!key || key.includes(' ') || resource === null || resource === '' || scope === null) return undefined;
  if (scope !== undefined && scope !== '' && !SCOPES.test(scope)) return undefined;
  return { key, resource, scopes: scope ? scope.split(' ') : [] };
}

/** RFC 6750, 3 and 3.1: no error where the request came without a token. */
function challengeOf(error: string | undefined, scopes: readonly string[]): string {
  const parameters = [
    'realm="rescind"',
    ...(error === undefined ? [] : [`error="${error}"`]),
    ...(scopes.length === 0 ? [] : [`scope="${scopes.join(' ')}"`]),
  ];
  return `Bearer ${parameters.join(', ')}`;
}

/** All but printable ASCII is percent-encoded as UTF-8, and so is `%`: a name must not end the header or be read as another one. */
const headerText = (text = ''): string =>
  text.replaceAll(/[^\x20-\x24\x26-\x7e]+|^ | $/gu, (part) => encodeURIComponent(part.toWellFormed()));
