import { Module, type DynamicModule } from '@nestjs/common';
import { RevocationsController } from './revocations.controller.js';
import type { Revocations } from './revocations.js';
import { REVOCATIONS } from './tokens.js';

/** Serves `/v1/revocations`. Needs the registry's module for its guard. `/revoke` is served in front of the framework. */
@Module({})
export class RevocationModule {
  static with({ revocations }: { readonly revocations: Revocations }): DynamicModule {
    return {
      module: RevocationModule,
      controllers: [RevocationsController],
      providers: [{ provide: REVOCATIONS, useValue: revocations }],
    };
  }
}
