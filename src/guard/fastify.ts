import type { IncomingMessage, ServerResponse } from 'node:http';
import { presentedOf, reportWhenDone, type CertificateOptions, type Described } from './access.js';
import type { BearerVerifier } from './bearer/bearer-verifier.js';
import type { Usage } from './usage.js';

/** The part of Fastify 5 that is used, so that users of another framework need not install its types. */
interface Request {
  readonly raw: IncomingMessage;
  readonly method: string;
  readonly routeOptions: { readonly url?: string | undefined; readonly config?: unknown };
}
interface Reply {
  readonly raw: ServerResponse;
  code(status: number): Reply;
  headers(headers: Record<string, string>): Reply;
  send(body: unknown): Reply;
}
interface Instance {
  decorateRequest(name: string, value: null): unknown;
  addHook(name: 'onRequest', hook: (request: Request, reply: Reply) => Promise<unknown>): unknown;
}

/** Value of `config.access` of a route: required scopes, and the names for the usage report. */
export interface RouteAccess extends Described {
  readonly scopes?: readonly string[];
}

/** Options of `fastifyGuard`. With `usage` the outcome of every call with a token is reported. */
export interface FastifyGuardOptions extends CertificateOptions {
  readonly verifier: BearerVerifier;
  readonly usage?: Usage;
}

/**
 * Creates a plugin for the Fastify instance that it is registered on and all below it. Every route needs a token; a route with `config: {
 * access: { scopes: [...] } }` also needs these scopes; a route with `config: { access: false }` needs none. An admitted request has
 * `request.access`. A path without a route needs a token too.
 */
export function fastifyGuard({ verifier, usage, ...certificates }: FastifyGuardOptions) {
  const plugin = (instance: Instance, _options: unknown, done: () => void): void => {
    instance.decorateRequest('access', null);
    instance.addHook('onRequest', async (request, reply) => {
      const wanted = wantedBy(request);
      if (wanted === false) return undefined;
      const verdict = await verifier.verify(presentedOf(request.raw, certificates), wanted.scopes);
      if (usage !== undefined) reportWhenDone(usage, verdict, request.raw, reply.raw, () => describe(request, wanted));
      reply.headers({ ...verdict.headers });
      if (!verdict.allowed) return reply.code(verdict.status).send(verdict.body);
      Object.assign(request, { access: verdict });
      return undefined;
    });
    done();
  };
  // Without this mark the hook would apply only to the plugin's own, empty scope.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true });
}

function wantedBy({ routeOptions: { config } }: Request): RouteAccess | false {
  const access = (config as { access?: RouteAccess | false } | undefined)?.access;
  return access ?? {};
}

function describe({ method, routeOptions: { url } }: Request, { operation, route }: RouteAccess): Described {
  const template = route ?? (url === undefined ? undefined : `${method} ${url}`);
  return { ...(operation === undefined ? {} : { operation }), ...(template === undefined ? {} : { route: template }) };
}
