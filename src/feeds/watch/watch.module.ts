import { Module, type DynamicModule } from '@nestjs/common';
import { WATCH, WatchController } from './watch.controller.js';
import type { Watch } from './watch.js';

/** Serves `/v1/stream`. Needs `RegistryModule`, which identifies the caller. */
@Module({})
export class WatchModule {
  static with({ watch }: { readonly watch: Watch }): DynamicModule {
    return { module: WatchModule, controllers: [WatchController], providers: [{ provide: WATCH, useValue: watch }] };
  }
}
