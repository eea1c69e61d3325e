import {
  Inject,
  Injectable,
  SetMetadata,
  UseGuards,
  applyDecorators,
  createParamDecorator,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBearerAuth, ApiResponse } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { RescindError } from '../../contracts/index.js';
import type { Caller, CallerRoles } from '../../control/index.js';
import type { Arriving } from '../../platform/http/index.js';
import type { Authenticator } from './authenticator.js';

export const AUTHENTICATOR = Symbol('rescind.authenticator');
const ROLES_METADATA = 'rescind.roles';

/** With the id of the secret that it presented (`Actor`). */
type AuthenticatedRequest = FastifyRequest & { rescindCaller?: Caller & { readonly key: string } };

/** Refuses with 401 who is unknown, with 403 who has none of the roles of {@link RequireRole}; without it, everybody. */
@Injectable()
export class CallerGuard implements CanActivate {
  readonly #reflector: Reflector;
  readonly #authenticate: Authenticator;

  constructor(@Inject(Reflector) reflector: Reflector, @Inject(AUTHENTICATOR) authenticate: Authenticator) {
    this.#reflector = reflector;
    this.#authenticate = authenticate;
  }

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const { caller, key, refusal } = this.#authenticate({ authorization: request.headers.authorization, remoteAddress: request.ip });
    if (!caller) {
      throw new RescindError(refusal.code === 'too-many-requests' ? 'too-many-requests' : 'unauthenticated', { detail: refusal.detail });
    }
    const roles = this.#reflector.getAllAndOverride<readonly (keyof CallerRoles)[] | undefined>(ROLES_METADATA, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (!roles?.some((role) => caller.roles[role] !== undefined)) {
      throw new RescindError('forbidden', { detail: `the caller needs the role ${roles?.join(' or ') ?? 'that nobody has'}` });
    }
    request.rescindCaller = { ...caller, key };
    return true;
  }
}

/** On a controller or a route: the caller has at least one of these roles. How far the role reaches is the stage's to check. */
export const RequireRole = (...roles: readonly (keyof CallerRoles)[]): ClassDecorator & MethodDecorator =>
  applyDecorators(
    SetMetadata(ROLES_METADATA, roles),
    UseGuards(CallerGuard),
    ApiBearerAuth(),
    ApiResponse({ status: 401, description: 'the key is missing, unknown, expired or disabled (problem+json)' }),
    ApiResponse({ status: 403, description: `the caller needs the role ${roles.join(' or ')} (problem+json)` }),
  );

/**
 * On a route that the database answers: the caller's and its tenant's bounds of questions hold, and the work ends when the client leaves.
 * A report is not bounded in time, and has connections of its own.
 */
export const Asks = (kind: NonNullable<Arriving['asks']> = 'question'): MethodDecorator =>
  applyDecorators(
    RouteConfig({ asks: kind }),
    ApiResponse({
      status: 429,
      description: 'too-many-requests: the caller or its tenant asks more at the same time than it may; overloaded: no turn was free (problem+json)',
      headers: { 'Retry-After': { schema: { type: 'string' }, description: 'seconds' } },
    }),
  );

/** The caller that {@link CallerGuard} let in. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { rescindCaller } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!rescindCaller) throw new TypeError('CurrentCaller needs RequireRole');
  return rescindCaller;
});
