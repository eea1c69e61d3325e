import { Inject, Module, type DynamicModule, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { FindingChanges } from '../settings/index.js';
import { FINDING_STATES_TOKEN, FINDINGS, FindingsController } from './findings.controller.js';
import { createFindingStates, type FindingStates, type FindingStatesOptions } from './states/states.js';

export type FindingsParts = Omit<FindingStatesOptions, 'stored'>;

/** Serves `/v1/findings`. Needs `RegistryModule`, which identifies the caller, and `SettingsModule`, which stores what people say. */
@Module({})
export class FindingsModule implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #states: FindingStates;

  constructor(@Inject(FINDING_STATES_TOKEN) states: FindingStates) {
    this.#states = states;
  }

  static with(parts: FindingsParts): DynamicModule {
    return {
      module: FindingsModule,
      controllers: [FindingsController],
      providers: [
        { provide: FINDINGS, useValue: parts.findings },
        {
          provide: FINDING_STATES_TOKEN,
          inject: [FindingChanges],
          useFactory: (stored: FindingChanges) => createFindingStates({ ...parts, stored }),
        },
      ],
    };
  }

  onApplicationBootstrap(): void {
    this.#states.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.#states.stop();
  }
}
