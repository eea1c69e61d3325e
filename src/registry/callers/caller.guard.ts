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
import { identified } from './identified.js';
import type { Identify } from './identify.js';

export const IDENTIFY = Symbol('rescind.identify');
const ROLES_METADATA = 'rescind.roles';

/** The caller with the id of the secret that it presented, if it did (`Actor`). */
export type AuthenticatedRequest = FastifyRequest & { rescindCaller?: Caller & { readonly key?: string } };

/**
 * Refuses an unknown caller with 401, and with 403 a caller that has none of the roles of {@link RequireRole}. Without {@link RequireRole}
 * it refuses everybody.
 */
@Injectable()
export class CallerGuard implements CanActivate {
  readonly #reflector: Reflector;
  readonly #identify: Identify;

  constructor(@Inject(Reflector) reflector: Reflector, @Inject(IDENTIFY) identify: Identify) {
    this.#reflector = reflector;
    this.#identify = identify;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const { caller, key } = identified(await this.#identify(request.raw, request.ip));
    const roles = this.#reflector.getAllAndOverride<readonly (keyof CallerRoles)[] | undefined>(ROLES_METADATA, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (!roles?.some((role) => caller.roles[role] !== undefined)) {
      throw new RescindError('forbidden', {
        detail: `the caller needs the role ${roles?.join(' or ') ?? 'that nobody has'}`,
      });
    }
    request.rescindCaller = { ...caller, ...(key === undefined ? {} : { key }) };
    return true;
  }
}

/** Requires on a controller or a route that the caller has at least one of these roles. The stage itself checks the bounds of the role. */
export const RequireRole = (...roles: readonly (keyof CallerRoles)[]): ClassDecorator & MethodDecorator =>
  applyDecorators(
    SetMetadata(ROLES_METADATA, roles),
    UseGuards(CallerGuard),
    ApiBearerAuth(),
    ApiResponse({ status: 401, description: 'the key is missing, unknown, expired or disabled (problem+json)' }),
    ApiResponse({
      status: 403,
      description: `the caller needs the role ${roles.join(' or ')}${roles.includes('audit') ? '; with `audit: {payloads: false}`: it asks for payloads, addresses or networks of clients, or exports' : ''} (problem+json)`,
    }),
  );

/**
 * Marks a route that the database answers: the limits on questions of the caller and its tenant apply, and the work ends when the client
 * leaves. A report has no time limit, and has connections of its own.
 */
export const Asks = (kind: NonNullable<Arriving['asks']> = 'question'): MethodDecorator =>
  applyDecorators(
    RouteConfig({ asks: kind }),
    ApiResponse({
      status: 429,
      description:
        'too-many-requests: the caller or its tenant has too many requests under way; overloaded: no turn was free (problem+json)',
      headers: { 'Retry-After': { schema: { type: 'string' }, description: 'seconds' } },
    }),
  );

/** Injects the caller that {@link CallerGuard} admitted. */
export const CurrentCaller = createParamDecorator(
  (_: unknown, context: ExecutionContext): Caller =>
    callerOf(context.switchToHttp().getRequest<AuthenticatedRequest>()),
);

export function callerOf({ rescindCaller }: AuthenticatedRequest): Caller {
  if (!rescindCaller) throw new TypeError('the route needs RequireRole');
  return rescindCaller;
}
