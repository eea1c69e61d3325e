import { Module, type DynamicModule } from '@nestjs/common';
import { ExploreController } from './explore.controller.js';
import type { Explore } from './explore.pg.js';
import { EXPLORE } from './tokens.js';

/** Serves `/v1/explore`. Needs `RegistryModule`, which identifies the caller. */
@Module({})
export class ExploreModule {
  static with({ explore }: { readonly explore: Explore }): DynamicModule {
    return {
      module: ExploreModule,
      controllers: [ExploreController],
      providers: [{ provide: EXPLORE, useValue: explore }],
    };
  }
}
