import { Module, type DynamicModule } from '@nestjs/common';
import { CONFIG, HEALTH, LIFECYCLE, LOG, METRICS } from './tokens.js';
import type { Config } from '../config/index.js';
import type { Log } from '../log/index.js';
import type { Health, Metrics } from '../observe/index.js';
import type { Lifecycle } from './lifecycle.js';

export interface PlatformParts {
  config: Config;
  log: Log;
  metrics: Metrics;
  health: Health;
  lifecycle: Lifecycle;
}

/** Provides the parts that `main` made to every module, under the tokens of `tokens.ts`. */
@Module({})
export class PlatformModule {
  static register(parts: PlatformParts): DynamicModule {
    const providers = [
      { provide: CONFIG, useValue: parts.config },
      { provide: LOG, useValue: parts.log },
      { provide: METRICS, useValue: parts.metrics },
      { provide: HEALTH, useValue: parts.health },
      { provide: LIFECYCLE, useValue: parts.lifecycle },
    ];
    return {
      module: PlatformModule,
      global: true,
      providers,
      exports: providers.map(({ provide }) => provide),
    };
  }
}
