import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ConsoleModule } from './files/console.module.js';
import { MeController } from './sign-in/me.controller.js';
import { SignInController } from './sign-in/sign-in.controller.js';
import { StoredView } from './views/stored-view.entity.js';
import { ViewsController } from './views/views.controller.js';
import { ViewsService } from './views/views.service.js';
import { WEB, type Web } from './web.js';

/** Entities that the data source of settings must know. */
export const WEB_ENTITIES = [StoredView];

/**
 * Serves the console, sign-in and sign-out under `/console`, `/v1/me` and `/v1/views`. Needs `RegistryModule`, which identifies the caller, and the data source of
 * `SettingsModule`.
 */
@Module({})
export class WebModule {
  static with({ web }: { readonly web: Web }): DynamicModule {
    return {
      module: WebModule,
      imports: [ConsoleModule, TypeOrmModule.forFeature(WEB_ENTITIES)],
      controllers: [MeController, SignInController, ViewsController],
      providers: [{ provide: WEB, useValue: web }, ViewsService],
    };
  }
}
