import { Module, type DynamicModule } from '@nestjs/common';
import { ERASURES, ErasuresController } from './erasures.controller.js';
import type { Erasures } from './erasures.js';

/** Serves `/v1/erasures`. Needs `RegistryModule`, which identifies the caller. */
@Module({})
export class ErasureModule {
  static with(erasures: Erasures): DynamicModule {
    return {
      module: ErasureModule,
      controllers: [ErasuresController],
      providers: [{ provide: ERASURES, useValue: erasures }],
    };
  }
}
