import { HttpException, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { presentedOf, reportWhenDone, type CertificateOptions, type Described } from './access.js';
import type { BearerVerifier } from './bearer/bearer-verifier.js';
import type { Usage } from './usage.js';

/** Options of `RescindGuard`. With `usage` the outcome of every call with a token is reported. */
export interface NestGuardOptions extends CertificateOptions {
  readonly verifier: BearerVerifier;
  readonly usage?: Usage;
}

const ACCESS = 'rescind:access';

/** Names the scopes that a handler, or every handler of a controller, needs. A handler's scopes replace its controller's. */
export const RequireScopes = (...scopes: readonly string[]): MethodDecorator & ClassDecorator =>
  SetMetadata(ACCESS, scopes);

/** Marks a handler or controller that needs no token. */
export const WithoutToken = (): MethodDecorator & ClassDecorator => SetMetadata(ACCESS, false);

/**
 * Requires a token for every handler when installed with `app.useGlobalGuards(new RescindGuard({ verifier }))`. Throws `HttpException` with
 * the refusal's status and body. Works on Express and Fastify.
 */
export class RescindGuard implements CanActivate {
  readonly #options: NestGuardOptions;

  constructor(options: NestGuardOptions) {
    this.#options = options;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const scopes = wantedBy(context);
    if (scopes === false) return true;
    const { verifier, usage, ...certificates } = this.#options;
    const http = context.switchToHttp();
    const [request, response] = [http.getRequest<Request>(), http.getResponse<Response>()];
    const [raw, rawResponse] = [request.raw ?? request, response.raw ?? response];
    const verdict = await verifier.verify(presentedOf(raw, certificates), scopes);
    if (usage !== undefined) reportWhenDone(usage, verdict, raw, rawResponse, () => describe(context));
    for (const [name, value] of Object.entries(verdict.headers)) {
      if (response.header === undefined) response.setHeader(name, value);
      else response.header(name, value);
    }
    if (!verdict.allowed) throw new HttpException(verdict.body, verdict.status);
    Object.assign(request, { access: verdict });
    return true;
  }
}

/** Fastify wraps Node's objects, Express extends them. */
type Request = IncomingMessage & { readonly raw?: IncomingMessage };
type Response = ServerResponse & { readonly raw?: ServerResponse; header?(name: string, value: string): unknown };

function wantedBy(context: ExecutionContext): readonly string[] | false {
  const read = (target: object): unknown => Reflect.getMetadata(ACCESS, target);
  return (read(context.getHandler()) ?? read(context.getClass()) ?? []) as readonly string[] | false;
}

function describe(context: ExecutionContext): Described {
  return { route: `${context.getClass().name}.${context.getHandler().name}` };
}
