import { Module, type DynamicModule } from '@nestjs/common';
import { FINDINGS, FindingsController } from './ask/findings.controller.js';
import type { Findings } from './ask/findings.pg.js';

/** Serves `/v1/findings`. Needs `RegistryModule`, which identifies the caller. */
@Module({})
export class FindingsModule {
  static with({ findings }: { readonly findings: Findings }): DynamicModule {
    return {
      module: FindingsModule,
      controllers: [FindingsController],
      providers: [{ provide: FINDINGS, useValue: findings }],
    };
  }
}
