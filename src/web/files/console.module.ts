import { fileURLToPath } from 'node:url';
import { Module } from '@nestjs/common';
import { createConsoleFiles } from './console-files.js';
import { CONSOLE_FILES, ConsoleController } from './console.controller.js';

/** The build puts the console here, seen from the sources as well as from the compiled file. */
const BUILT_CONSOLE = fileURLToPath(new URL('../../../dist/console', import.meta.url));

/** Serves `/console/`. */
@Module({
  controllers: [ConsoleController],
  providers: [{ provide: CONSOLE_FILES, useFactory: () => createConsoleFiles(BUILT_CONSOLE) }],
})
export class ConsoleModule {}
