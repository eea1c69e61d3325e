import { Module, type DynamicModule } from '@nestjs/common';
import type { Authenticator } from './callers/authenticator.js';
import { AUTHENTICATOR, CallerGuard } from './callers/caller.guard.js';
import { CallersController } from './callers/callers.controller.js';
import type { Registry } from './registry.js';
import { SourcesController } from './sources/sources.controller.js';
import { TenantsController } from './tenants.controller.js';
import { REGISTRY } from './tokens.js';

export interface RegistryParts {
  readonly registry: Registry;
  /** The authenticator that the protocol endpoints use too, so that all share its throttle. */
  readonly authenticate: Authenticator;
}

/** Serves `/v1/tenants`, `/v1/sources` and `/v1/callers`. Global, so that controllers of every module can use `@RequireRole`. */
@Module({})
export class RegistryModule {
  static with({ registry, authenticate }: RegistryParts): DynamicModule {
    return {
      module: RegistryModule,
      global: true,
      controllers: [TenantsController, SourcesController, CallersController],
      providers: [
        { provide: REGISTRY, useValue: registry },
        { provide: AUTHENTICATOR, useValue: authenticate },
        CallerGuard,
      ],
      exports: [REGISTRY, AUTHENTICATOR, CallerGuard],
    };
  }
}
