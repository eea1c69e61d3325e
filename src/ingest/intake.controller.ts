import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERROR_CODES, RescindError } from '../contracts/index.js';
import { statusOfKind } from '../platform/index.js';
import { AUTHENTICATOR, type Authenticator } from '../registry/index.js';
import type { Intake } from './intake.js';
import { INTAKE } from './ingest-tokens.js';

/** `POST /events`. A protocol endpoint: described by hand in the OpenAPI document, since its bodies are not plain JSON. */
@ApiExcludeController()
@Controller('events')
export class IntakeController {
  readonly #intake: Intake;
  readonly #authenticate: Authenticator;

  constructor(@Inject(INTAKE) intake: Intake, @Inject(AUTHENTICATOR) authenticate: Authenticator) {
    this.#intake = intake;
    this.#authenticate = authenticate;
  }

  @Post()
  @HttpCode(200)
  async take(@Req() request: FastifyRequest, @Body() body: unknown, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    const { caller, refusal } = this.#authenticate({ authorization: request.headers.authorization, remoteAddress: request.ip });
    if (!caller) {
      throw new RescindError(refusal.code === 'too-many-requests' ? refusal.code : 'unauthenticated', { detail: refusal.detail });
    }
    const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
    const answer = await this.#intake.take({ contentType: request.headers['content-type'], body: bytes, caller });
    if ('batch' in answer) return answer.batch;
    if ('error' in answer.single) void reply.code(statusOfKind(ERROR_CODES[answer.single.error].kind));
    return answer.single;
  }
}
