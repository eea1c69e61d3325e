import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERROR_CODES } from '../../contracts/index.js';
import { statusOfKind } from '../../platform/http/index.js';
import type { Door } from './door.js';
import type { Intake } from './intake.js';
import { readBinaryHeaders } from '../accept/http-binary.js';
import { DOOR, INTAKE } from '../ingest-tokens.js';

/** Serves `POST /events`. The OpenAPI document describes it by hand, because its bodies are not plain JSON. */
@ApiExcludeController()
@Controller('events')
export class IntakeController {
  readonly #intake: Intake;
  readonly #door: Door;

  constructor(@Inject(INTAKE) intake: Intake, @Inject(DOOR) door: Door) {
    this.#intake = intake;
    this.#door = door;
  }

  @Post()
  @HttpCode(200)
  async take(
    @Req() request: FastifyRequest,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
    const binary = readBinaryHeaders(request.raw.rawHeaders);
    const answer = await this.#intake.take({
      contentType: request.headers['content-type'],
      binary,
      body: bytes,
      caller: this.#door.callerOf(request.raw),
    });
    if ('batch' in answer) return answer.batch;
    if ('error' in answer.single) void reply.code(statusOfKind(ERROR_CODES[answer.single.error].kind));
    return answer.single;
  }
}
