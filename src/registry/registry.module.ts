import { Module, type DynamicModule } from '@nestjs/common';
import { CallerGuard, IDENTIFY } from './callers/caller.guard.js';
import { CallersController } from './callers/callers.controller.js';
import type { Identify } from './callers/identify.js';
import type { Registry } from './registry.js';
import { SourcesController } from './sources/sources.controller.js';
import { TenantsController } from './tenants.controller.js';
import { REGISTRY } from './tokens.js';

export interface RegistryParts {
  readonly registry: Registry;
  readonly identify: Identify;
}

/** Serves `/v1/tenants`, `/v1/sources` and `/v1/callers`. Global, so that controllers of every module can use `@RequireRole`. */
@Module({})
export class RegistryModule {
  static with({ registry, identify }: RegistryParts): DynamicModule {
    return {
      module: RegistryModule,
      global: true,
      controllers: [TenantsController, SourcesController, CallersController],
      providers: [{ provide: REGISTRY, useValue: registry }, { provide: IDENTIFY, useValue: identify }, CallerGuard],
      exports: [REGISTRY, IDENTIFY, CallerGuard],
    };
  }
}
