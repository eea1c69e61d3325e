import { Inject, Module, type DynamicModule, type OnApplicationBootstrap } from '@nestjs/common';
import { DetectionChanges } from '../../settings/index.js';
import { createDetectionActions, type DetectionActions, type DetectionActionsOptions } from './detection-actions.js';
import { DETECTION_ACTIONS_TOKEN, DetectionsController } from './detections.controller.js';

export type DetectionsParts = Omit<DetectionActionsOptions, 'stored'>;

/** Serves `/v1/detections`. Needs `RegistryModule`, and `SettingsModule`, which stores what administrators set. */
@Module({})
export class DetectionsModule implements OnApplicationBootstrap {
  readonly #actions: DetectionActions;

  constructor(@Inject(DETECTION_ACTIONS_TOKEN) actions: DetectionActions) {
    this.#actions = actions;
  }

  static with(parts: DetectionsParts): DynamicModule {
    return {
      module: DetectionsModule,
      controllers: [DetectionsController],
      providers: [
        {
          provide: DETECTION_ACTIONS_TOKEN,
          inject: [DetectionChanges],
          useFactory: (stored: DetectionChanges) => createDetectionActions({ ...parts, stored }),
        },
      ],
    };
  }

  onApplicationBootstrap(): void {
    void this.#actions.payOwed();
  }
}
