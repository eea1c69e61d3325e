import { Body, Controller, HttpCode, Inject, Post, Query, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERROR_CODES, RescindError, type IntakeResult } from '../../contracts/index.js';
import { statusOfKind } from '../../platform/http/index.js';
import type { Door } from './door.js';
import type { Intake } from './intake.js';
import type { Publication } from './published.pg.js';
import { readBinaryHeaders } from '../accept/http-binary.js';
import { DOOR, INTAKE, PUBLICATION } from '../ingest-tokens.js';

/** Serves `POST /events`. The OpenAPI document describes it by hand, because its bodies are not plain JSON. */
@ApiExcludeController()
@Controller('events')
export class IntakeController {
  readonly #intake: Intake;
  readonly #door: Door;
  readonly #publication: Publication;

  constructor(@Inject(INTAKE) intake: Intake, @Inject(DOOR) door: Door, @Inject(PUBLICATION) publication: Publication) {
    this.#intake = intake;
    this.#door = door;
    this.#publication = publication;
  }

  @Post()
  @HttpCode(200)
  async take(
    @Req() request: FastifyRequest,
    @Body() body: unknown,
    @Query('wait') wait: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const waits = readWait(wait);
    const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
    const binary = readBinaryHeaders(request.raw.rawHeaders);
    const caller = this.#door.callerOf(request.raw);
    const answer = await this.#intake.take({
      contentType: request.headers['content-type'],
      binary,
      body: bytes,
      caller,
    });
    const results = 'batch' in answer ? answer.batch : [answer.single];
    const proven = waits ? await this.#publication.prove(caller.tenant, results) : results;
    if (proven.some(isUnproven)) void reply.code(ACCEPTED);
    if ('batch' in answer) return proven;
    const [single] = proven as readonly [IntakeResult];
    if ('error' in single) void reply.code(statusOfKind(ERROR_CODES[single.error].kind));
    return single;
  }
}

/** Events are stored, and the evidence that was asked for is not there yet (RFC 9110, 15.3.3). */
const ACCEPTED = 202;

const isUnproven = (result: IntakeResult): boolean => 'evidence' in result && result.evidence === null;

function readWait(wait: unknown): boolean {
  if (wait === undefined || wait === 'published') return wait === 'published';
  throw new RescindError('invalid-request', { detail: '`wait` is `published` or absent' });
}
