import type { IncomingMessage, ServerResponse } from 'node:http';
import { presentedOf, reportWhenDone, sendRefusal, type CertificateOptions, type Described } from './access.js';
import type { BearerVerifier, Verdict } from './bearer/bearer-verifier.js';
import type { Usage } from './usage.js';

/** Options of `createMiddleware`. */
export interface MiddlewareOptions extends CertificateOptions {
  readonly verifier: BearerVerifier;
  /** Scopes that a request needs, all of them. */
  readonly scopes?: readonly string[];
  readonly usage?: Usage;
  /** Names the operation for `usage`. Default: the operation by the method, and Express's route if it is known when the response ends. */
  readonly describe?: (request: IncomingMessage) => Described;
}

/** Middleware of Express and Connect. Calls `next` once the request is admitted, and with an error if verifying failed. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;

/**
 * Creates middleware for Express, Connect and compatible frameworks. It sends refusals itself; an admitted request has `request.access`.
 */
export function createMiddleware({
  verifier,
  scopes,
  usage,
  describe = describeExpress,
  ...certificates
}: MiddlewareOptions): Middleware {
  return (request, response, next) => {
    const decided = (verdict: Verdict): void => {
      if (usage !== undefined) reportWhenDone(usage, verdict, request, response, () => describe(request));
      if (!verdict.allowed) return sendRefusal(response, verdict);
      for (const [name, value] of Object.entries(verdict.headers)) response.setHeader(name, value);
      Object.assign(request, { access: verdict });
      next();
    };
    const verdict = verifier.verify(presentedOf(request, certificates), scopes);
    if (verdict instanceof Promise) verdict.then(decided, next);
    else decided(verdict);
  };
}

function describeExpress(request: IncomingMessage): Described {
  const { baseUrl = '', route } = request as { baseUrl?: string; route?: { path?: unknown } };
  return typeof route?.path === 'string' ? { route: `${request.method} ${baseUrl}${route.path}` } : {};
}
