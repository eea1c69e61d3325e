import { Module, type DynamicModule } from '@nestjs/common';
import { IntakeController } from './intake.controller.js';
import type { Intake } from './intake.js';
import { INTAKE } from './ingest-tokens.js';

/** Serves `POST /events`. Needs `RegistryModule`, which says who is calling. */
@Module({})
export class IngestModule {
  static with({ intake }: { readonly intake: Intake }): DynamicModule {
    return { module: IngestModule, controllers: [IntakeController], providers: [{ provide: INTAKE, useValue: intake }] };
  }
}
