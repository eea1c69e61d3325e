import { Controller, Get, Header, Inject, Param, Redirect, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { ConsoleFiles } from './console-files.js';

export const CONSOLE_FILES = Symbol('rescind.console-files');

/** Serves the console. Its files are the same for everybody: who somebody is, the API asks. */
@ApiExcludeController()
@Controller('console')
export class ConsoleController {
  readonly #files: ConsoleFiles;

  constructor(@Inject(CONSOLE_FILES) files: ConsoleFiles) {
    this.#files = files;
  }

  @Get()
  @Header('cache-control', 'no-store')
  @Redirect('/console/', 302)
  toPage(): void {}

  @Get('*')
  serve(@Param('*') path: string, @Res() reply: FastifyReply): void {
    const { headers, body } = this.#files.find(path);
    void reply.headers(headers).send(body);
  }
}
