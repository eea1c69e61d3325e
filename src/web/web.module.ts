import { Module, type DynamicModule } from '@nestjs/common';
import { ConsoleModule } from './files/console.module.js';
import { MeController } from './sign-in/me.controller.js';
import { SignInController } from './sign-in/sign-in.controller.js';
import { WEB, type Web } from './web.js';

/** Serves the console, sign-in and sign-out under `/console`, and `/v1/me`. Needs `RegistryModule`, which identifies the caller. */
@Module({})
export class WebModule {
  static with({ web }: { readonly web: Web }): DynamicModule {
    return {
      module: WebModule,
      imports: [ConsoleModule],
      controllers: [MeController, SignInController],
      providers: [{ provide: WEB, useValue: web }],
    };
  }
}
