import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { compactVerify, type CryptoKey } from 'jose';
import { ACCESS_TOKEN_HINT, type EventDataOf } from '../../contracts/index.js';
import { digestOf, jwtIdentity, tokenIdentity } from '../../emit/index.js';
import type { Log } from '../../platform/log/index.js';
import type { EventPublisher } from '../event-publisher.js';
import { sendJson } from '../http-forms.js';
import type { Introspect, IntrospectionClaims } from '../rescind-introspection.js';

export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Template of the path below the resource identifier; `{id}` stands for any one segment. */
  readonly template: string;
  readonly scope: string;
  readonly operation: EventDataOf['access.allowed']['operation'];
  /** Serves the call. `records`: how many of the application's records the answer contains or the call changed. */
  serve(id: string | undefined): { readonly status: number; readonly body: unknown; readonly records: number };
}

export interface ApiOptions {
  /** RFC 8707 identifier; the routes lie below it. */
  readonly resource: string;
  readonly routes: readonly ApiRoute[];
  readonly introspect: Introspect;
  /** Key of the application's own authorization server. With it a refused JWT is named by its claims instead of by its spelling. */
  readonly tokenKey: CryptoKey;
  readonly publisher: EventPublisher;
  readonly log: Log;
}

type TokenIdentity = EventDataOf['access.allowed']['token'];
interface Call {
  readonly route: ApiRoute;
  readonly id: string | undefined;
  readonly path: string;
  readonly request: IncomingMessage;
}
interface Challenge {
  readonly status: 401 | 403;
  readonly error: 'invalid_token' | 'insufficient_scope';
}

/** Creates the resource server, which asks `introspect` about the token on every call and remembers no answer. */
export function createApi(options: ApiOptions): RequestListener {
  const { resource, routes, introspect, publisher, log } = options;

  return (request, response) => {
    handle(request, response).catch((error: unknown) => {
      log.error({ err: error }, 'an API call failed; answering 500');
      if (!response.headersSent) sendJson(response, 500, { error: 'server_error' });
    });
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', new URL(resource).origin);
    const call = findCall(url, request);
    if (call === undefined) return sendJson(response, 404, { error: 'not_found' });
    // RFC 6750, section 2: this server takes a token only in the header.
    const token = bearerToken(request.headers.authorization);
    if (token === undefined)
      return sendJson(response, 401, { error: 'unauthorized' }, { 'www-authenticate': `Bearer realm="${resource}"` });

    const introspection = await introspect(token, ACCESS_TOKEN_HINT);
    if (introspection.outcome === 'undecided')
      return sendJson(response, 503, { error: 'temporarily_unavailable' }, { 'retry-after': '1' });
    if (introspection.outcome === 'inactive' || !audiences(introspection.claims).includes(resource)) {
      await tellDenied(call, await identify(token, undefined, options.tokenKey), 401, 'invalid_token');
      return challenge(response, { status: 401, error: 'invalid_token' }, call.route);
    }
    const identity = await identify(token, introspection.claims, options.tokenKey);
    if (!(introspection.claims.scope ?? '').split(' ').includes(call.route.scope)) {
      await tellDenied(call, identity, 403, 'insufficient_scope');
      return challenge(response, { status: 403, error: 'insufficient_scope' }, call.route);
    }
    await serve(call, identity, response);
  }

  function findCall(url: URL, request: IncomingMessage): Call | undefined {
    const base = new URL(resource).pathname.replace(/\/$/, '');
    if (!url.pathname.startsWith(`${base}/`)) return undefined;
    const path = url.pathname.slice(base.length);
    for (const route of routes) {
      const match = route.method === request.method ? matchTemplate(route.template, path) : undefined;
      if (match !== undefined) return { route, id: match.id, path, request };
    }
    return undefined;
  }

  async function serve(call: Call, token: TokenIdentity, response: ServerResponse): Promise<void> {
    const { status, body, records } = call.route.serve(call.id);
    await publisher.publish('access.allowed', {
      ...access(call, token),
      scope: call.route.scope,
      status,
      records,
      bytes: Buffer.byteLength(JSON.stringify(body)),
    });
    sendJson(response, status, body);
  }

  async function tellDenied(
    call: Call,
    token: TokenIdentity,
    status: number,
    error: Challenge['error'],
  ): Promise<void> {
    await publisher.publish('access.denied', { ...access(call, token), status, error });
  }

  function access({ route, path, request }: Call, token: TokenIdentity) {
    const address = request.socket.remoteAddress;
    return {
      token,
      operation: route.operation,
      route: `${route.method} ${route.template}`,
      path,
      resource: [resource],
      ...(address === undefined ? {} : { client_address: address }),
    };
  }

  /** Sends the challenge of RFC 6750, section 3. */
  function challenge(response: ServerResponse, { status, error }: Challenge, route: ApiRoute): void {
    const scope = error === 'insufficient_scope' ? `, scope="${route.scope}"` : '';
    sendJson(
      response,
      status,
      { error },
      { 'www-authenticate': `Bearer realm="${resource}", error="${error}"${scope}` },
    );
  }
}

function bearerToken(header: string | undefined): string | undefined {
  return /^Bearer +([\w.~+/-]+=*)$/i.exec(header ?? '')?.[1];
}

function audiences({ aud }: IntrospectionClaims): readonly string[] {
  return typeof aud === 'string' ? [aud] : (aud ?? []);
}

function matchTemplate(template: string, path: string): { id: string | undefined } | undefined {
  const [wanted, given] = [template.split('/'), path.split('/')];
  let id: string | undefined;
  const matches = wanted.every((segment, position) => {
    if (segment !== '{id}') return segment === given[position];
    id = given[position];
    return id !== undefined && id !== '';
  });
  return matches && wanted.length === given.length ? { id } : undefined;
}

/**
 * Names a token for events: a JWT by its claims, an opaque token by its digest (design, section 2), because a JWT's text has many
 * spellings. The claims of a JWT that does not verify prove nothing; such a JWT is named by the digest of its signing input.
 */
async function identify(
  token: string,
  claims: IntrospectionClaims | undefined,
  key: CryptoKey,
): Promise<TokenIdentity> {
  const parts = token.split('.');
  if (parts.length !== 3) return tokenIdentity(token);
  if (claims?.iss !== undefined && claims.jti !== undefined) return { iss: claims.iss, jti: claims.jti };
  try {
    await compactVerify(token, key);
    return jwtIdentity(token);
  } catch {
    return { signing_input_sha256: digestOf(`${parts[0]}.${parts[1]}`) };
  }
}
